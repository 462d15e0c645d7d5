// Noop: completes on the next turn and does nothing else.

import { DONE } from "../completion.ts";
import type { Processor } from "../operation.ts";

export const Noop: Processor = {
  name: "noop",
  decode: () => DONE,
};
