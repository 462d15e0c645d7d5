// Wait: completes when another operation wakes it.

import type { Context } from "../context.ts";
import type { Processor } from "../operation.ts";

/** Who waits looks so often whether those that it may be waiting for are still alive. */
const WATCH_MS = 1000;

export const Wait: Processor = {
  name: "wait",

  // A platform ends a request that waits for nothing of its own, so there is a timer; and nobody waits for ever.
  decode:
    (_, { host }) =>
    (operation) => {
      operation.setDeadline(host.limits.waitMs);
      watch(operation.context);
    },
};

/** A killed request tells nobody, and no other request need come that would find it. One watch for all of a context. */
function watch(context: Context): void {
  if (context.watches) return;
  context.watches = true;
  context.deadlines.add(WATCH_MS, () => {
    context.watches = false;
    if (!context.waits) return;
    context.host.callTheRoll();
    watch(context);
  });
}
