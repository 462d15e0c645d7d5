// Noop: completes on the next turn and does nothing else.

import type { Processor } from "../operation.ts";

export const Noop: Processor = {
  name: "noop",
  decode: () => () => ({}),
};
