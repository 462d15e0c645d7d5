// Report: tells the host's owner of a failure that nobody else will hear of.

import { Opcode, REPORT_DROPPED } from "../abi";
import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { Operation } from "../operation";
import { Submission, commit, prepare } from "../submission-queue";

export class Report extends Operation<Completion> {
  constructor(
    private name: string,
    status: i32,
    token: Token,
    private message: string,
  ) {
    super(Opcode.Report);
    this.argument_0 = status;
    this.argument_1 = <u32>token;
    this.argument_2 = <u32>(token >>> 32);
  }

  encode(submission: Submission): void {
    submission.putName(changetype<usize>(this.name));
    submission.putDataText(changetype<usize>(this.message));
  }
}

/** Tells `onError` that an operation `name` of the guest's own has come to a failure. Completes with Ok. */
export function report(name: string, status: i32, message: string, token: Token = 0): Report {
  return new Report(name, status, token, message);
}

/** The same of a completion, without an operation's object. `dropped`: something else took the place of what failed. */
export function submitReport(completion: Completion, name: string, dropped: bool): void {
  const submission = prepare(0);
  submission.opcode = <u16>Opcode.Report;
  if (dropped) submission.flags |= <u16>REPORT_DROPPED;
  submission.argument_0 = completion.status;
  submission.argument_1 = completion.token_slot;
  submission.argument_2 = completion.token_generation;
  submission.putName(changetype<usize>(name));
  submission.putDataBytes(completion.payload, completion.payload_bytes);
  commit(submission);
}
