// Fetch: sends an HTTP request to a granted origin and completes with the response.

import { FETCH_BODY, Opcode, RedirectMode } from "../abi";
import { readBytes, readText } from "../arena";
import { Completion } from "../completion-queue";
import { Operation } from "../operation";
import { Headers, Pairs } from "../pairs";
import { openResource } from "../resource";
import { Submission } from "../submission-queue";

/** A response: status, headers, and the body here (`withBody`) or as a resource on the host. */
@unmanaged
export class Response extends Completion {
  /** The HTTP status, 200 to 599. `status` is the operation's. */
  get statusCode(): u32 {
    return this.auxiliary;
  }

  /** The response's headers, in order, repeated names kept. */
  get headers(): Pairs {
    return changetype<Pairs>(this.payload);
  }

  /** The first header of this name, in any case. */
  header(name: string): string | null {
    return this.failed ? null : this.headers.find(name);
  }

  private get bodyStart(): usize {
    return this.headers.nameAt(this.headers.count);
  }

  private get bodyBytes(): usize {
    return this.payload + this.payload_bytes - this.bodyStart;
  }

  /** The body as text; empty unless it was asked for by `withBody`. */
  text(): string {
    return this.failed ? "" : readText(this.bodyStart, this.bodyBytes);
  }

  /** The body as bytes; empty unless it was asked for by `withBody`. */
  bytes(): ArrayBuffer {
    return this.failed ? new ArrayBuffer(0) : readBytes(this.bodyStart, this.bodyBytes);
  }
}

export class Fetch extends Operation<Response> {
  private verb: string = "GET";
  private readonly sent: Headers = new Headers();
  private content: ArrayBuffer | null = null;
  private source: u32 = 0;
  private wantsBody: bool = false;
  private bytesMax: u32 = 0;
  private redirectMode: RedirectMode = RedirectMode.Follow;

  constructor(
    public resource: u32,
    public url: string,
  ) {
    super();
  }

  method(name: string): this {
    this.verb = name;
    return this;
  }

  /** Adds a header; names may repeat. */
  header(name: string, value: string): this {
    this.sent.append(name, value);
    return this;
  }

  body(bytes: ArrayBuffer): this {
    this.content = bytes;
    return this;
  }

  /** Streams a body that the host holds, an exchange's or a response's, without copying it through the guest. */
  bodyFrom(resource: u32): this {
    this.source = resource;
    return this;
  }

  redirect(mode: RedirectMode): this {
    this.redirectMode = mode;
    return this;
  }

  /** Brings the body along with the completion: at most `bytesMax` bytes (0: the host's limit), else TooBig. */
  withBody(bytesMax: u32 = 0): this {
    this.wantsBody = true;
    this.bytesMax = bytesMax;
    return this;
  }

  encode(submission: Submission): void {
    submission.opcode = <u16>Opcode.Fetch;
    submission.resource = this.resource;
    submission.argument_0 = this.bytesMax;
    submission.argument_1 = this.redirectMode;
    submission.argument_2 = this.source;
    if (this.wantsBody) submission.flags |= <u16>FETCH_BODY;
    this.sent.encodeHead(submission, this.verb, this.url);
    const content = this.content;
    if (content) submission.putData(content);
  }
}

/** HTTP origins that the host granted under one name. */
export class Origin {
  constructor(public resource: u32) {}

  /** A GET of `url`: a path at the first granted origin, or an absolute URL at any of them. */
  fetch(url: string): Fetch {
    return new Fetch(this.resource, url);
  }
}

/** The origins granted as `name`. If there are none, every fetch completes with BadResource. */
export function origin(name: string): Origin {
  return new Origin(openResource(name));
}
