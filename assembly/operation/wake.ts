// Wake: completes a wait, in whichever request that is.

import { Opcode } from "../abi";
import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { Operation, PLAIN } from "../operation";
import { commit, prepare } from "../submission-queue";

export class Wake extends Operation<Completion> {
  constructor(token: Token) {
    super(Opcode.Wake | PLAIN);
    this.argument_0 = <u32>token;
    this.argument_1 = <u32>(token >>> 32);
  }
}

/** Completes a wait. A handler never runs on another request's stack, so the host tells the request that waits. */
export function wake(token: Token): void {
  const submission = prepare(0);
  submission.opcode = <u16>Opcode.Wake;
  submission.argument_0 = <u32>token;
  submission.argument_1 = <u32>(token >>> 32);
  commit(submission);
}
