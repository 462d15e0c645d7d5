// Noop: completes on the next turn and does nothing else.

import { Opcode } from "../abi";
import { CompletionHandler } from "../completion-handler";
import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { Operation, PLAIN } from "../operation";
import { commit, prepare } from "../submission-queue";

export class Noop extends Operation<Completion> {
  constructor() {
    super(Opcode.Noop | PLAIN);
  }
}

/** An operation that completes with Ok on the next turn: lets other handlers run first. */
export function noop(): Noop {
  return new Noop();
}

/** The same without an operation's object. */
export function submitNoop(handler: CompletionHandler): Token {
  const submission = prepare(changetype<usize>(handler));
  submission.opcode = <u16>Opcode.Noop;
  return commit(submission);
}
