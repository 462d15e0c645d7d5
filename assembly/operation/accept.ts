// Accept: completes once for each incoming event, until it is cancelled.

import { EventKind, Opcode } from "../abi";
import { readBytes } from "../arena";
import { Completion } from "../completion-queue";
import { Operation } from "../operation";

/** An incoming event. The resource is the event's exchange. */
@unmanaged
export class Incoming extends Completion {
  /** What kind of event this is. */
  get kind(): EventKind {
    return this.auxiliary;
  }

  /** A copy of the head: a list of pairs whose first is (method, URL), followed by the headers. */
  head(): ArrayBuffer {
    return readBytes(this.payload, this.payload_bytes);
  }
}

export class Accept extends Operation<Incoming> {
  constructor(kinds: u32) {
    super(Opcode.Accept);
    this.argument_0 = kinds;
  }
}

/** Listens for events; `kinds` is a sum of EventKind. `serve` is the usual way to use it. */
export function accept(kinds: u32): Accept {
  return new Accept(kinds);
}
