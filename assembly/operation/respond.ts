// Respond: answers an exchange, once.

import { Opcode, RESPOND_FORWARD } from "../abi";
import { Completion } from "../completion-queue";
import { Operation } from "../operation";
import { Headers, listOf } from "../pairs";
import { Submission } from "../submission-queue";

export class Respond extends Operation<Completion> {
  status: u32 = 200;
  headers: Headers | null;
  text: string | null;
  bytes: ArrayBuffer | null;
  /** A body that stays on the host: a fetched response's or a request's resource. */
  body: u32;
  /** Whether status and headers come from `body`'s response too. */
  forward: bool;

  constructor(exchange: u32) {
    super(Opcode.Respond, exchange);
  }

  encode(submission: Submission): void {
    encodeRespond(submission, this.resource, this.status, changetype<usize>(this.headers));
    submission.argument_1 = this.body;
    if (this.forward) submission.flags |= <u16>RESPOND_FORWARD;
    submission.putDataText(changetype<usize>(this.text));
    submission.putData(changetype<usize>(this.bytes));
  }
}

/** Encodes all but the body. */
export function encodeRespond(submission: Submission, exchange: u32, status: u32, headers: usize): void {
  submission.opcode = <u16>Opcode.Respond;
  submission.resource = exchange;
  submission.argument_0 = status;
  submission.putMeta(listOf(headers));
}
