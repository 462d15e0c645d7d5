// Close: gives a resource back; what is in flight on it ends as Cancelled.

import { Opcode } from "../abi";
import { Completion } from "../completion-queue";
import { Operation } from "../operation";

export class Close extends Operation<Completion> {
  constructor(resource: u32) {
    super(Opcode.Close, resource);
  }
}

/** Gives a resource back. Completes with BadResource if the context has no such resource. */
export function close(resource: u32): Close {
  return new Close(resource);
}
