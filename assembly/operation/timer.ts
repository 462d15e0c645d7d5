// Timer: completes once, no earlier than the given number of milliseconds.

import { Opcode } from "../abi";
import { Completion } from "../completion-queue";
import { Operation } from "../operation";

export class Timer extends Operation<Completion> {
  constructor(ms: u32) {
    super(Opcode.Timer);
    this.argument_0 = ms;
  }
}

/** Completes with Ok `ms` milliseconds after submission; with Invalid above TIMER_MS_MAX (24.8 days). */
export function timer(ms: u32): Timer {
  return new Timer(ms);
}
