// Cancel: ends another operation; the answer says whether it came in time.

import { CancelResult, Opcode } from "../abi";
import { Completion } from "../completion-queue";
import { flightAt } from "../flight";
import { Token, cancelResult, isFlight, markCancelled } from "../handler-table";
import { Operation, PLAIN } from "../operation";
import { commit, prepare } from "../submission-queue";

export class Cancel extends Operation<Completion> {
  constructor(token: Token) {
    super(Opcode.Cancel | PLAIN);
    this.argument_0 = <u32>token;
    this.argument_1 = <u32>(token >>> 32);
  }
}

/**
 * Cancels an operation. Won: its handler will see Cancelled, even if the work has just succeeded; a second cancel says
 * Won again and does nothing. TooLate: the handler has run. Unknown: no operation had this token. Allocates nothing.
 */
export function cancel(token: Token): CancelResult {
  const result = cancelResult(token);
  if (result == CancelResult.Won && markCancelled(<u32>token)) {
    if (isFlight(<u32>token)) {
      flightAt(<u32>token).enqueue();
      return result;
    }
    const submission = prepare(0);
    submission.opcode = <u16>Opcode.Cancel;
    submission.argument_0 = <u32>token;
    submission.argument_1 = <u32>(token >>> 32);
    commit(submission);
  }
  return result;
}
