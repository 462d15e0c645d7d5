// Timer: completes once, no earlier than the given number of milliseconds.

import { Opcode } from "../abi";
import { CompletionHandler } from "../completion-handler";
import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { Operation, PLAIN } from "../operation";
import { commit, prepare } from "../submission-queue";

export class Timer extends Operation<Completion> {
  constructor(ms: u32) {
    super(Opcode.Timer | PLAIN);
    this.argument_0 = ms;
  }
}

/** Completes with Ok `ms` milliseconds after submission; with Invalid above TIMER_MS_MAX (24.8 days). */
export function timer(ms: u32): Timer {
  return new Timer(ms);
}

/** The same without an operation's object. */
export function submitTimer(handler: CompletionHandler, ms: u32): Token {
  const submission = prepare(changetype<usize>(handler));
  submission.opcode = <u16>Opcode.Timer;
  submission.argument_0 = ms;
  return commit(submission);
}
