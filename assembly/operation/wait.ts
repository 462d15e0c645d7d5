// Wait: completes when another operation wakes it.

import { Opcode } from "../abi";
import { CompletionHandler } from "../completion-handler";
import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { Operation, PLAIN } from "../operation";
import { commit, prepare } from "../submission-queue";

export class Wait extends Operation<Completion> {
  constructor() {
    super(Opcode.Wait | PLAIN);
  }
}

/** Completes with Ok when `wake` is given its token, with TimedOut after the host's `waitMs`. */
export function wait(): Wait {
  return new Wait();
}

/** The same without an operation's object. */
export function submitWait(handler: CompletionHandler): Token {
  const submission = prepare(changetype<usize>(handler));
  submission.opcode = <u16>Opcode.Wait;
  return commit(submission);
}
