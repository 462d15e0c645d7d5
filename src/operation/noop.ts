// Noop: completes on the next turn and does nothing else.

import type { Processor } from "../operation.ts";
import { DONE } from "../completion.ts";

export const Noop: Processor = {
  name: "noop",
  decode: () => DONE,
};
