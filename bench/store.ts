// Stores: what peers read from. They are the same for all, and cost as little as a promise does.

import type { KvStore } from "wasm-proactor";

/** What every read finds. */
const VALUE = new Uint8Array(8).buffer;

const refuse = (): Promise<never> => Promise.reject(new Error("this store can only be read"));

/** A store that can only be read. */
export function readable(get: (key: string) => Promise<ArrayBuffer>): KvStore {
  return { get, getWithMetadata: refuse, put: refuse, delete: refuse, list: refuse };
}

/** Holds all reads until so many are there that were expected, and answers them then, the first one first. */
export class HeldReads {
  /** Called when all are held, and none is answered yet. */
  onHeld: (() => void) | undefined;
  #expected = 0;
  #held: ((value: ArrayBuffer) => void)[] = [];

  expect(count: number): void {
    this.#expected = count;
  }

  get(): Promise<ArrayBuffer> {
    return new Promise((resolve) => {
      this.#held.push(resolve);
      if (this.#held.length === this.#expected) void this.#answer();
    });
  }

  async #answer(): Promise<void> {
    // Not before whoever reads has got the last promise.
    await undefined;
    this.onHeld?.();
    const held = this.#held;
    this.#held = [];
    for (const resolve of held) resolve(VALUE);
  }
}

/** Shared, so that whoever measures memory can look while all are held. */
export const heldReads = new HeldReads();

/** Answers at once; a read of "never" it does not answer. */
export async function promptRead(key: string): Promise<ArrayBuffer> {
  if (key === "never") await new Promise(() => {});
  return VALUE;
}
