// Exchange: one incoming request, from its head to its one response.

import { EventKind, Status } from "./abi";
import { readText } from "./arena";
import { CompletionHandler } from "./completion-handler";
import { Completion } from "./completion-queue";
import { Token } from "./handler-table";
import { Accept, Incoming } from "./operation/accept";
import { Response } from "./operation/fetch";
import { Read } from "./operation/read";
import { Respond } from "./operation/respond";
import { Headers, Pairs } from "./pairs";
import { pathStart, queryStart, queryValue } from "./url";

export class Exchange {
  /** The exchange's number in the contract. */
  readonly resource: u32;
  /** Headers of the response to come. */
  readonly headers: Headers = new Headers();
  private head: ArrayBuffer;

  constructor(incoming: Incoming) {
    this.resource = incoming.resource;
    this.head = incoming.head();
  }

  private get pairs(): Pairs {
    return changetype<Pairs>(changetype<usize>(this.head));
  }

  private get urlAt(): usize {
    return this.pairs.valueAt(0);
  }

  private get urlEnd(): usize {
    return this.urlAt + this.pairs.valueBytes(0);
  }

  get method(): string {
    return this.pairs.name(0);
  }

  /** The whole URL of the request. */
  get url(): string {
    return this.pairs.value(0);
  }

  /** The URL's path, percent-encoded as it came. */
  get path(): string {
    const start = pathStart(this.urlAt, this.urlEnd);
    return readText(start, queryStart(start, this.urlEnd) - start);
  }

  /** What follows the `?`, without it. */
  get query(): string {
    const start = queryStart(this.urlAt, this.urlEnd);
    return start == this.urlEnd ? "" : readText(start + 1, this.urlEnd - start - 1);
  }

  /** The first value of a query parameter, decoded; null if it is missing or malformed. */
  parameter(name: string): string | null {
    return queryValue(this.query, name);
  }

  /** The first request header of this name, in any case. */
  header(name: string): string | null {
    return this.pairs.find(name, 1);
  }

  /** How many headers the request has. */
  get headerCount(): u32 {
    return this.pairs.count - 1;
  }

  /** Reads the request's body, at most `bytesMax` bytes (0: the host's limit). Once. */
  read(bytesMax: u32 = 0): Read {
    return new Read(this.resource, bytesMax);
  }

  /**
   * Answers with `status`, the headers set so far and a body: a string, an ArrayBuffer or a Uint8Array. Once; a second
   * answer fails with Closed, which is reported to the host's `onError`.
   */
  respond<T>(status: u32, body: T): Token {
    const operation = new Respond(this.resource);
    operation.status = status;
    operation.headers = this.headers;
    if (isString<T>()) operation.text = <string>body;
    else if (body instanceof ArrayBuffer) operation.bytes = body;
    else if (body instanceof Uint8Array) operation.bytes = body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength);
    else ERROR("respond: the body is a string, an ArrayBuffer or a Uint8Array");
    return operation.submit();
  }

  /**
   * Answers with a fetched response: its status, headers and body, which is not copied through the guest. A fetch that
   * failed is answered with 504 if its deadline passed, else with 502.
   */
  forward(response: Response): Token {
    if (response.failed) return this.respond(response.status == Status.TimedOut ? 504 : 502, "upstream failed");
    const operation = new Respond(this.resource);
    operation.headers = this.headers;
    operation.body = response.resource;
    operation.forward = true;
    return operation.submit();
  }

  /** Answers with `status` and the headers set so far, and streams the body that the host holds as `resource`. */
  stream(status: u32, resource: u32): Token {
    const operation = new Respond(this.resource);
    operation.status = status;
    operation.headers = this.headers;
    operation.body = resource;
    return operation.submit();
  }
}

class Server extends CompletionHandler {
  constructor(private fn: (exchange: Exchange) => void) {
    super();
  }

  onComplete(completion: Completion): void {
    if (completion.status == Status.Ok) this.fn(new Exchange(changetype<Incoming>(completion)));
  }
}

/** Calls `fn` for each incoming request. To be called once, while the module starts. */
export function serve(fn: (exchange: Exchange) => void): Token {
  return new Accept(EventKind.Fetch).submit(new Server(fn));
}
