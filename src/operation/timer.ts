// Timer: completes once, no earlier than the given number of milliseconds.

import { Status, TIMER_MS_MAX } from "../../assembly/abi.ts";
import { Failure } from "../failure.ts";
import type { Processor } from "../operation.ts";

export const Timer: Processor = {
  name: "timer",

  decode({ argument0: ms }) {
    if (ms > TIMER_MS_MAX) throw new Failure(Status.Invalid, `timer: at most ${TIMER_MS_MAX} ms`);
    return (operation) => void operation.completeAfter(ms);
  },
};
