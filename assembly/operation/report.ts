// Report: tells the host's owner of a failure that nobody else will hear of.

import { Opcode, REPORT_DROPPED } from "../abi";
import { Completion } from "../completion-queue";
import { commit, prepare } from "../submission-queue";

/** Reports that the operation `name` has come to `completion`, a failure. `dropped`: something else took its place. */
export function submitReport(completion: Completion, name: string, dropped: bool): void {
  const submission = prepare(null);
  submission.opcode = <u16>Opcode.Report;
  if (dropped) submission.flags |= <u16>REPORT_DROPPED;
  submission.argument_0 = completion.status;
  submission.argument_1 = completion.token_slot;
  submission.argument_2 = completion.token_generation;
  submission.putName(name);
  submission.putDataBytes(completion.payload, completion.payload_bytes);
  commit(submission);
}
