// Wait: completes when another operation wakes it.

import { Opcode } from "../abi";
import { CompletionHandler } from "../completion-handler";
import { Token } from "../handler-table";
import { commit, prepare } from "../submission-queue";

/** Completes with Ok when `wake` is given its token, and with TimedOut after the host's limit, `waitMs`. */
export function submitWait(handler: CompletionHandler): Token {
  const submission = prepare(handler);
  submission.opcode = <u16>Opcode.Wait;
  return commit(submission);
}
