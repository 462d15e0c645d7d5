// Operations that have to do with time: setTimeout, and what one makes of it.

import type { Run } from "../../peer.ts";
import { promptRead } from "../../store.ts";
import { expectEqual } from "../expect.ts";

/** Prime, so that times come in no order. */
const STRIDE = 7919;
const MINUTE_MS = 60_000;
const LONG_MS = 5000;
const SHORT_MS = 2;

// Many timers.

type Sleep = (ms: number) => Promise<void>;

/** Sleeps `size` times at once, spread over a millisecond for each thousand, until there were `count`. */
export const timersOf =
  (sleep: Sleep): Run =>
  async (count, size) => {
    const spreadMs = Math.max(1, Math.floor(size / 1000));
    let slept = 0;
    const one = async (index: number): Promise<void> => {
      await sleep(1 + ((index * STRIDE) % spreadMs));
      slept++;
    };
    for (let done = 0; done < count; done += size)
      await Promise.all(Array.from({ length: size }, (_, index) => one(index)));
    expectEqual(slept, count);
  };

export const millionTimers = timersOf((ms) => new Promise((resolve) => setTimeout(resolve, ms)));

// Timeouts.

type ReadWithTimeout = (key: string, ms: number) => Promise<ArrayBuffer>;

/** Keeps `size` reads in flight. Every hundredth is never answered. */
export const timeoutsOf =
  (read: ReadWithTimeout): Run =>
  async (count, size) => {
    let started = 0;
    let ended = 0;
    let timedOut = 0;
    const one = async (): Promise<void> => {
      while (started < count) {
        const isLate = ++started % 100 === 0;
        try {
          await read(isLate ? "never" : "key", isLate ? SHORT_MS : LONG_MS);
        } catch {
          timedOut++;
        }
        ended++;
      }
    };
    await Promise.all(Array.from({ length: size }, one));
    expectEqual(timedOut, Math.floor(count / 100));
    expectEqual(ended, count);
  };

/** Whichever comes first; and the timer is taken back. */
export const timeoutEach = timeoutsOf(async (key, ms) => {
  let timer!: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("timed out")), ms);
  });
  try {
    return await Promise.race([promptRead(key), late]);
  } finally {
    clearTimeout(timer);
  }
});

// Cancelling.

function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
  });
}

export const cancelStorm: Run = async (count, size) => {
  let cancelled = 0;
  const one = async ({ signal }: AbortController): Promise<void> => {
    try {
      await sleepUnlessAborted(MINUTE_MS, signal);
    } catch {
      cancelled++;
    }
  };
  for (let done = 0; done < count; done += size) {
    const controllers = Array.from({ length: size }, () => new AbortController());
    const sleeping = controllers.map(one);
    for (const controller of controllers) controller.abort();
    await Promise.all(sleeping);
  }
  expectEqual(cancelled, count);
};
