// Rows: a set of rows of numbers, each found again by its content and named by its place.
//
// States are merged only if all their numbers are equal. The hash finds candidates and decides nothing, so no state is
// lost to a collision. Blocks of typed arrays, because a million small objects would be ten times as large.

const BLOCK_ROWS = 1 << 14;
const SLOTS_AT_START = 1 << 12;

export class Rows {
  readonly width: number;
  size = 0;
  readonly #blocks: Int32Array[] = [];
  /** Open addressing: the row's number and 1, or 0. */
  #slots = new Int32Array(SLOTS_AT_START);
  #hashes = new Int32Array(SLOTS_AT_START);

  constructor(width: number) {
    this.width = width;
  }

  /** The number of the row that equals the first `width` numbers of `row`; ~number if it was added just now. */
  add(row: Int32Array): number {
    const hash = this.#hash(row);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let found = this.#slots[slot]!; found !== 0; found = this.#slots[slot]!) {
      if (this.#hashes[slot] === hash && this.#equals(found - 1, row)) return found - 1;
      slot = (slot + 1) & mask;
    }
    const number = this.#append(row);
    this.#slots[slot] = number + 1;
    this.#hashes[slot] = hash;
    if (this.size * 2 > this.#slots.length) this.#grow();
    return ~number;
  }

  /** Copies row `number` to the front of `row`. */
  read(number: number, row: Int32Array): void {
    const block = this.#blocks[Math.floor(number / BLOCK_ROWS)]!;
    const start = (number % BLOCK_ROWS) * this.width;
    for (let index = 0; index < this.width; index++) row[index] = block[start + index]!;
  }

  /** The first `size` rows, as wide as `rest`, which says what they have behind their present end. */
  widened(rest: Int32Array, size: number): Rows {
    const wider = new Rows(rest.length);
    const row = rest.slice();
    for (let number = 0; number < size; number++) {
      this.read(number, row);
      wider.add(row);
    }
    return wider;
  }

  #append(row: Int32Array): number {
    const at = this.size % BLOCK_ROWS;
    if (at === 0) this.#blocks.push(new Int32Array(BLOCK_ROWS * this.width));
    const block = this.#blocks.at(-1)!;
    for (let index = 0; index < this.width; index++) block[at * this.width + index] = row[index]!;
    return this.size++;
  }

  #equals(number: number, row: Int32Array): boolean {
    const block = this.#blocks[Math.floor(number / BLOCK_ROWS)]!;
    const start = (number % BLOCK_ROWS) * this.width;
    for (let index = 0; index < this.width; index++) if (block[start + index] !== row[index]) return false;
    return true;
  }

  #hash(row: Int32Array): number {
    let hash = 0;
    for (let index = 0; index < this.width; index++) {
      hash = Math.imul(hash ^ row[index]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  #grow(): void {
    const [slots, hashes] = [this.#slots, this.#hashes];
    this.#slots = new Int32Array(slots.length * 2);
    this.#hashes = new Int32Array(slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let old = 0; old < slots.length; old++) {
      if (slots[old] === 0) continue;
      let slot = hashes[old]! & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = slots[old]!;
      this.#hashes[slot] = hashes[old]!;
    }
  }
}
