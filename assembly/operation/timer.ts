// Timer: completes once, no earlier than the given number of milliseconds.

import { Opcode } from "../abi";
import { Completion } from "../completion-queue";
import { Operation } from "../operation";
import { Submission } from "../submission-queue";

export class Timer extends Operation<Completion> {
  constructor(public ms: u32) {
    super();
  }

  encode(submission: Submission): void {
    submission.opcode = <u16>Opcode.Timer;
    submission.argument_0 = this.ms;
  }
}

/** Completes with Ok `ms` milliseconds after submission; with Invalid above TIMER_MS_MAX (24.8 days). */
export function timer(ms: u32): Timer {
  return new Timer(ms);
}
