// Random: numbers that a seed decides (xorshift32), so that every run can be repeated.

export class Random {
  #state: number;

  /** `seed` — any whole number. */
  constructor(seed: number) {
    // Neighbouring seeds should not begin alike, and xorshift must not begin with 0.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1;
    for (let i = 0; i < 4; i++) this.next();
  }

  /** A number from 0 to 1, without 1. */
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) / 0x1_0000_0000;
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of these. */
  pick<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    return list[this.between(0, list.length - 1)]!;
  }

  /** Another sequence, which what draws from this one later does not disturb. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 0x1_0000_0000));
  }
}
