// Trace: everything that host and guest did in a run, as one number, and on demand as lines for people.
//
// Two runs with the same hash did the same. What engines may do differently is left out: the wording of their errors.

export class Trace {
  // Two times 32 bits, because multiplying more takes BigInt.
  #high = 0x9747b28c;
  #low = 0x811c9dc5;
  readonly #float = new Float64Array(1);
  readonly #words = new Uint32Array(this.#float.buffer);
  readonly #write: ((line: string) => void) | undefined;

  constructor(write?: (line: string) => void) {
    this.#write = write;
  }

  /** A line for people. Made only if somebody reads it; not part of the hash. */
  line(text: () => string): void {
    if (this.#write) this.#write(text());
  }

  numbers(...values: number[]): void {
    for (const value of values) {
      this.#float[0] = value;
      this.#mix(this.#words[0]!);
      this.#mix(this.#words[1]!);
    }
  }

  bytes(bytes: Uint8Array): void {
    this.numbers(bytes.length);
    for (let at = 0; at < bytes.length; at++) this.#mix(bytes[at]!);
  }

  text(text: string): void {
    this.numbers(text.length);
    for (let at = 0; at < text.length; at++) this.#mix(text.charCodeAt(at));
  }

  #mix(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x5bd1e995) + 0x6b43a9b5;
    this.#high ^= this.#high >>> 15;
    this.#low = Math.imul(this.#low ^ word, 0x01000193);
    this.#low = (this.#low << 5) | (this.#low >>> 27);
  }

  /** 16 hexadecimal digits. */
  get hash(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
