// Close: gives a resource back; what is in flight on it ends as Cancelled.

import { Opcode } from "../abi";
import { Completion } from "../completion-queue";
import { Operation, PLAIN } from "../operation";
import { commit, prepare } from "../submission-queue";

export class Close extends Operation<Completion> {
  constructor(resource: u32) {
    super(Opcode.Close | PLAIN, resource);
  }
}

/** Gives a resource back. Completes with BadResource if the context has no such resource. */
export function close(resource: u32): Close {
  return new Close(resource);
}

/** Gives a resource back without an operation's object, and without waiting for the answer. */
export function submitClose(resource: u32): void {
  const submission = prepare(0);
  submission.opcode = <u16>Opcode.Close;
  submission.resource = resource;
  commit(submission);
}
