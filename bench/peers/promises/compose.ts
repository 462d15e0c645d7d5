// Composites as one writes them by hand: rounds of `size` members, until `count` have ended.

import pLimit from "p-limit";
import type { Run } from "../../peer.ts";
import { nothing } from "../operations.ts";

const ATTEMPTS = 3;

const roundsOf =
  (round: (size: number) => Promise<unknown>): Run =>
  async (count, size) => {
    for (let done = 0; done < count; done += size) await round(size);
  };

const calls = (size: number): Promise<void>[] => Array.from({ length: size }, nothing);

export const gather = roundsOf((size) => Promise.all(calls(size)));

/** The losers go on, and nobody hears of them. */
export const race = roundsOf((size) => Promise.race(calls(size)));

const gate = pLimit(8);

export const limit = roundsOf((size) => Promise.all(Array.from({ length: size }, () => gate(nothing))));

async function withRetries<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** (attempt - 1)));
    }
  }
}

export const retry = roundsOf(() => withRetries(nothing));
