// Accept: completes once for each incoming event, until it is cancelled.

import { ACCEPT_HEADERS, EventKind, Opcode } from "../abi";
import { readBytes } from "../arena";
import { Completion } from "../completion-queue";
import { OPERATION_ARGUMENT_0, Operation, PLAIN, newOperation } from "../operation";

/** An incoming event. The resource is the event's exchange. */
@unmanaged
export class Incoming extends Completion {
  /** What kind of event this is. */
  get kind(): EventKind {
    return this.auxiliary;
  }

  /** A copy of the head: a list of pairs whose first is (method, URL), followed by the headers if they were asked for. */
  head(): ArrayBuffer {
    return readBytes(this.payload, this.payload_bytes);
  }
}

/** Whether handlers look at the headers of requests. */
export enum RequestHeaders {
  /** Saves the host to collect them, which is most of what a request without I/O costs it. */
  Omitted,
  Included,
}

export class Accept extends Operation<Incoming> {}

/** An Accept's address. */
export function newAccept(kinds: u32, headers: RequestHeaders): usize {
  const opcode_flags = <u32>Opcode.Accept | PLAIN | (headers * (ACCEPT_HEADERS << 16));
  const accept = newOperation(offsetof<Accept>(), idof<Accept>(), opcode_flags, 0, 0);
  store<u32>(accept, kinds, OPERATION_ARGUMENT_0);
  return accept;
}

// 1 is Included: asc makes a function of its own for a default that is no literal.
/** Listens for events; `kinds` is a sum of EventKind. `serve` is the usual way to use it. */
export function accept(kinds: u32, headers: RequestHeaders = 1): Accept {
  return changetype<Accept>(newAccept(kinds, headers));
}
