// Cancel: ends another operation; the answer says whether it came in time.

import { CancelResult, Opcode } from "../abi";
import { Completion } from "../completion-queue";
import { Token, cancelResult, markCancelled } from "../handler-table";
import { Operation } from "../operation";
import { Submission } from "../submission-queue";

export class Cancel extends Operation<Completion> {
  constructor(public token: Token) {
    super();
  }

  encode(submission: Submission): void {
    submission.opcode = <u16>Opcode.Cancel;
    submission.argument_0 = <u32>this.token;
    submission.argument_1 = <u32>(this.token >>> 32);
  }
}

// One value serves every call, so that cancelling allocates nothing.
const operation: Cancel = new Cancel(0);

/**
 * Cancels an operation. Won: its handler will see Cancelled, even if the work has just succeeded; a second cancel says
 * Won again and does nothing. TooLate: the handler has run. Unknown: no operation had this token.
 */
export function cancel(token: Token): CancelResult {
  const result = cancelResult(token);
  if (result == CancelResult.Won && markCancelled(<u32>token)) {
    operation.token = token;
    operation.submit();
  }
  return result;
}
