// Memory: the guest's linear memory, seen through checks.
//
// The guest is not trusted. A pointer and a length become a range only if the range lies inside the memory as it is
// now, and the host looks only while an import runs, so neither growth nor garbage collection can come in between.

import { Status } from "../assembly/abi.ts";
import { Failure } from "./failure.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Below this length a loop over ASCII is faster than a call of TextDecoder or TextEncoder. */
const SHORT_TEXT = 48;

export class Memory {
  readonly #memory: WebAssembly.Memory;
  #bytes = new Uint8Array(0);
  #words = new Uint32Array(0);

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  /** All bytes. Fetched anew when growth has detached the old buffer. */
  get bytes(): Uint8Array {
    if (this.#bytes.length === 0) this.#renew();
    return this.#bytes;
  }

  /** All aligned words, by byte offset divided by four. */
  get words(): Uint32Array {
    if (this.#words.length === 0) this.#renew();
    return this.#words;
  }

  #renew(): void {
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#words = new Uint32Array(this.#memory.buffer);
  }

  /** Whether `length` bytes from `at` lie inside. Both are taken as unsigned. */
  contains(at: number, length: number): boolean {
    const size = this.bytes.length;
    return length >>> 0 <= size && at >>> 0 <= size - (length >>> 0);
  }

  /** A range that `contains` has accepted, until the guest runs again. */
  view(at: number, length: number): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(at >>> 0, (at >>> 0) + length) as Uint8Array<ArrayBuffer>;
  }

  /** The UTF-8 text in a range that `contains` has accepted. Throws Invalid if it is none. */
  text(at: number, length: number): string {
    return decodeText(this.bytes, at >>> 0, length);
  }
}

/** Bytes that one UTF-16 unit becomes at most. */
export const UTF8_BYTES_MAX = 3;

/** Decodes UTF-8 and throws Invalid if it is none. */
export function decodeText(bytes: Uint8Array, at: number, length: number): string {
  if (length <= SHORT_TEXT) {
    let text = "";
    let index = at;
    const end = at + length;
    for (; index < end && bytes[index]! < 0x80; index++) text += String.fromCharCode(bytes[index]!);
    if (index === end) return text;
  }
  try {
    return decoder.decode(bytes.subarray(at, at + length));
  } catch {
    throw new Failure(Status.Invalid, "text is not UTF-8");
  }
}

/** Encodes `text` at `at` and returns the bytes written. There must be room for UTF8_BYTES_MAX for each unit. */
export function encodeText(text: string, bytes: Uint8Array, at: number): number {
  const length = text.length;
  if (length <= SHORT_TEXT) {
    let index = 0;
    for (; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) break;
      bytes[at + index] = unit;
    }
    if (index === length) return length;
  }
  return encoder.encodeInto(text, bytes.subarray(at)).written;
}

/** The bytes of `text` as UTF-8. */
export function encodeBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
