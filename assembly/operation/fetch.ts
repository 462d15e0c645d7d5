// Fetch: sends an HTTP request to a granted origin and completes with the response.

import { FETCH_BODY, Opcode, RedirectMode } from "../abi";
import { readBytes, readText } from "../arena";
import { Completion } from "../completion-queue";
import { OPERATION_CONTENT, Operation, newOperation } from "../operation";
import { Pairs, addPair, withPair } from "../pairs";
import { openResource } from "../resource";
import { Submission } from "../submission-queue";

/** A response: status, headers, and the body here (`withBody`) or as a resource on the host. */
@unmanaged
export class Response extends Completion {
  /** The HTTP status, 200 to 599. `status` is the operation's. */
  get statusCode(): u32 {
    return this.auxiliary;
  }

  /** The response's headers, in order, repeated names kept; none if the fetch failed. */
  get headers(): Pairs {
    // The payload of a failure is the host's message; a word of zeros is an empty list.
    return changetype<Pairs>(this.failed ? memory.data(4, 4) : this.payload);
  }

  /** The first header of this name, in any case. */
  header(name: string): string | null {
    return this.headers.find(name);
  }

  // The body, which is here only if it was asked for by `withBody`.

  get dataStart(): usize {
    return this.headers.nameAt(this.headers.count);
  }

  get byteLength(): u32 {
    if (this.resource) abort("this response's body stayed on the host: fetch it withBody(), or forward it");
    return this.failed ? 0 : <u32>(this.payload + this.payload_bytes - this.dataStart);
  }

  text(): string {
    return readText(this.dataStart, this.byteLength);
  }

  bytes(): ArrayBuffer {
    return readBytes(this.dataStart, this.byteLength);
  }
}

export class Fetch extends Operation<Response> {
  /** As it is sent: (method, URL), then the headers. */
  private head!: ArrayBuffer;
  private content: ArrayBuffer | null;

  method(name: string): this {
    const pairs = changetype<Pairs>(changetype<usize>(this.head));
    let head = withPair(null, name, pairs.value(0));
    for (let i: u32 = 1; i < pairs.count; i++) head = withPair(head, pairs.name(i), pairs.value(i));
    this.head = head;
    return this;
  }

  /** Adds a header; names may repeat. */
  header(name: string, value: string): this {
    this.head = withPair(this.head, name, value);
    return this;
  }

  body(bytes: ArrayBuffer): this {
    this.content = bytes;
    return this;
  }

  bodyText(text: string): this {
    return this.body(String.UTF8.encode(text));
  }

  /** Streams a body that the host holds, an exchange's or a response's, without copying it through the guest. */
  bodyFrom(resource: u32): this {
    this.argument_2 = resource;
    return this;
  }

  redirect(mode: RedirectMode): this {
    this.argument_1 = mode;
    return this;
  }

  /** Brings the body along with the completion: at most `bytesMax` bytes (0: the host's limit), else TooBig. */
  withBody(bytesMax: u32 = 0): this {
    this.opcode_flags |= FETCH_BODY << 16;
    this.argument_0 = bytesMax;
    return this;
  }

  encode(submission: Submission): void {
    const fetch = changetype<usize>(this);
    submission.putMeta(load<usize>(fetch, offsetof<Fetch>("head")));
    submission.putData(load<usize>(fetch, offsetof<Fetch>("content")));
  }
}

/** HTTP origins that the host granted under one name. Its number in the clothes of an object: nothing is allocated. */
@final
@unmanaged
export class Origin {
  constructor(resource: u32) {
    return changetype<Origin>(<usize>resource);
  }

  get resource(): u32 {
    return <u32>changetype<usize>(this);
  }

  /** A GET of `url`: a path at the first granted origin, or an absolute URL at any of them. */
  fetch(url: string): Fetch {
    if (offsetof<Fetch>("head") != OPERATION_CONTENT) ERROR("head is not the first field");
    const head = addPair(0, changetype<usize>("GET"), changetype<usize>(url));
    return changetype<Fetch>(newOperation(offsetof<Fetch>(), idof<Fetch>(), Opcode.Fetch, this.resource, head));
  }
}

/** The origins granted as `name`. If there are none, every fetch completes with BadResource. */
export function origin(name: string): Origin {
  return new Origin(openResource(name));
}
