// Wait: completes when another operation wakes it.

import type { Operation, Processor } from "../operation.ts";

/** Who waits looks so often whether those that it may be waiting for are still alive. */
const WATCH_MS = 1000;

export const Wait: Processor = {
  name: "wait",

  // A platform ends a request that waits for nothing of its own, so there is a timer; and nobody waits for ever.
  decode:
    (_, { host }) =>
    (operation) => {
      operation.setDeadline(host.limits.waitMs);
      watch(operation);
    },
};

/** A killed request tells nobody, and no other request need come that would find it. */
function watch(operation: Operation): void {
  const { deadlines, host } = operation.context;
  deadlines.add(WATCH_MS, () => {
    if (operation.settled) return;
    host.callTheRoll();
    watch(operation);
  });
}
