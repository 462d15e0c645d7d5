// Wait: completes when another operation wakes it.

import type { Processor } from "../operation.ts";

export const Wait: Processor = {
  name: "wait",

  // A platform ends a request that waits for nothing of its own, so there is a timer; and nobody waits for ever.
  decode:
    (_, { host }) =>
    (operation) =>
      void operation.setDeadline(host.limits.waitMs),
};
