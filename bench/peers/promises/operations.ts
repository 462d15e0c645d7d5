// Operations after each other and at the same time.

import type { Run } from "../../peer.ts";
import { heldReads } from "../../store.ts";
import { expectEqual } from "../expect.ts";
import { nothing, sleep } from "../operations.ts";

export const noop: Run = async (count, size) => {
  if (size === 1) for (let done = 0; done < count; done++) await nothing();
  else for (let done = 0; done < count; done += size) await Promise.all(Array.from({ length: size }, nothing));
};

async function increment(value: number): Promise<number> {
  await Promise.resolve();
  return value + 1;
}

export const chain: Run = async (count) => {
  let value = 0;
  while (value < count) value = await increment(value);
};

export const pummel: Run = async (count, size) => {
  let started = 0;
  let completed = 0;
  const one = async (): Promise<void> => {
    while (started++ < count) {
      await nothing();
      completed++;
    }
  };
  await Promise.all(Array.from({ length: size }, one));
  expectEqual(completed, count);
};

export const millionInFlight: Run = async (count, size) => {
  let right = 0;
  const read = async (): Promise<void> => {
    const value = await heldReads.get();
    if (value.byteLength === 8) right++;
  };
  for (let done = 0; done < count; done += size) {
    heldReads.expect(size);
    await Promise.all(Array.from({ length: size }, read));
  }
  expectEqual(right, count);
};

export const latency: Run = async (count) => {
  for (let done = 0; done < count; done++) await sleep();
};

/** What a request costs here is an async function. */
export const contexts: Run = async (count, size) => {
  await Promise.all(Array.from({ length: size }, () => noop(count / size, 1)));
};
