// Respond: answers an exchange, once.

import { Opcode, RESPOND_FORWARD } from "../abi";
import { Completion } from "../completion-queue";
import { Operation } from "../operation";
import { Headers } from "../pairs";
import { Submission } from "../submission-queue";

export class Respond extends Operation<Completion> {
  status: u32 = 200;
  headers: Headers | null = null;
  text: string | null = null;
  bytes: ArrayBuffer | null = null;
  /** A body that stays on the host: a fetched response's or a request's resource. */
  body: u32 = 0;
  /** Whether status and headers come from `body`'s response too. */
  forward: bool = false;

  constructor(public exchange: u32) {
    super();
  }

  encode(submission: Submission): void {
    submission.opcode = <u16>Opcode.Respond;
    submission.resource = this.exchange;
    submission.argument_0 = this.status;
    submission.argument_1 = this.body;
    if (this.forward) submission.flags |= <u16>RESPOND_FORWARD;
    const headers = this.headers;
    if (headers) headers.encode(submission);
    const text = this.text;
    if (text) submission.putDataText(text);
    const bytes = this.bytes;
    if (bytes) submission.putData(bytes);
  }
}
