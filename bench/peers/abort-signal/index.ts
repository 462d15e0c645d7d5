// AbortSignal.timeout: the platform's own deadline, for operations that listen to a signal.

import type { Peer } from "../../peer.ts";
import { promptRead } from "../../store.ts";
import { timeoutsOf, timersOf } from "../promises/clock.ts";

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => AbortSignal.timeout(ms).addEventListener("abort", () => resolve(), { once: true }));

/** Listens as fetch does: until there is an answer. */
function readUntil(signal: AbortSignal, key: string): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const answered = promptRead(key).finally(() => signal.removeEventListener("abort", abort));
    answered.then(resolve, reject);
  });
}

export const peer: Peer = {
  "million-timers": timersOf(sleep),
  "timeout-each": timeoutsOf((key, ms) => readUntil(AbortSignal.timeout(ms), key)),
};
