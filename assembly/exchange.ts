// Exchange: one incoming request, from its head to its one response.

import { EventKind, RESPOND_FORWARD, Status } from "./abi";
import { abort } from "./abort";
import { newObject } from "./address";
import { readText } from "./arena";
import { Scope } from "./compose/scope";
import { Token } from "./handler-table";
import { AnyOperation, Anything, thenAt } from "./operation";
import { Incoming, RequestHeaders, newAccept } from "./operation/accept";
import { Response } from "./operation/fetch";
import { KvValue } from "./operation/kv";
import { Content, Read } from "./operation/read";
import { encodeRespond } from "./operation/respond";
import { Headers, Pairs } from "./pairs";
import { Submission, commit, prepare } from "./submission-queue";
import { pathStart, queryStart, queryValue } from "./url";

let headersOmitted = false;
/** Ends an exchange's scope. A guest in which none has any has no code for them, hence no direct call. */
let endScope: ((scope: Anything) => void) | null = null;

function assertHeaders(): void {
  if (headersOmitted) abort("serve() was told to omit request headers");
}

@final
export class Exchange {
  /** The exchange's number in the contract. */
  readonly resource: u32;
  private sent: Headers | null;
  private within: Anything | null;

  /** The request's head lies behind its fields: one object less for each request. */
  constructor(incoming: Incoming) {
    const bytes = incoming.payload_bytes;
    const exchange = newObject(offsetof<Exchange>() + bytes, idof<Exchange>(), 0);
    store<u32>(exchange, incoming.resource, offsetof<Exchange>("resource"));
    memory.copy(exchange + offsetof<Exchange>(), incoming.payload, bytes);
    return changetype<Exchange>(exchange);
  }

  /** Headers of the response to come. */
  get headers(): Headers {
    let headers = this.sent;
    if (!headers) this.sent = headers = new Headers();
    return headers;
  }

  private get pairs(): Pairs {
    return headOf(changetype<usize>(this));
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
    return pathOf(headOf(changetype<usize>(this)));
  }

  /** What follows the `?`, without it. */
  get query(): string {
    return queryOf(headOf(changetype<usize>(this)));
  }

  /** The first value of a query parameter, decoded; null if it is missing or malformed. */
  parameter(name: string): string | null {
    return queryValue(this.query, name);
  }

  /** The first request header of this name, in any case. */
  header(name: string): string | null {
    assertHeaders();
    return this.pairs.find(name, 1);
  }

  /** How many headers the request has. */
  get headerCount(): u32 {
    assertHeaders();
    return this.pairs.count - 1;
  }

  /** What is started within it is cancelled when the exchange is answered. */
  get scope(): Scope {
    endScope = (scope) => changetype<Scope>(changetype<usize>(scope)).cancel();
    if (!this.within) this.within = changetype<Anything>(new Scope());
    return changetype<Scope>(changetype<usize>(this.within));
  }

  /** Starts an operation that may outlive the answer. A failure is reported to the host's `onError`. */
  waitUntil(operation: AnyOperation): Token {
    return operation.begin(0);
  }

  /** Reads the request's body, at most `bytesMax` bytes (0: the host's limit). Once. */
  read(bytesMax: u32 = 0): Read {
    return new Read(this.resource, bytesMax);
  }

  /**
   * Answers with `status`, the headers set so far and a body: a string, an ArrayBuffer, a Uint8Array, or what a read has
   * brought, be it of a body, of KV or of a fetch, whose bytes are not copied in the guest. Once; a second answer fails
   * with Closed, which is reported to the host's `onError`.
   */
  respond<T>(status: u32, body: T): Token {
    if (isNullable<T>())
      ERROR("respond: the body may be null; once you have looked, write respond<string>(status, text)");
    const submission = answer(changetype<usize>(this), status);
    if (isString<T>()) submission.putDataText(changetype<usize>(body));
    else if (body instanceof ArrayBuffer) submission.putData(changetype<usize>(body));
    else if (
      body instanceof Uint8Array ||
      body instanceof Content ||
      body instanceof KvValue ||
      body instanceof Response
    )
      submission.putDataBytes(body.dataStart, body.byteLength);
    else ERROR("respond: the body is a string, an ArrayBuffer, a Uint8Array or the result of a read");
    return commit(submission);
  }

  /**
   * Answers with a fetched response: its status, headers and body, which is not copied through the guest. A fetch that
   * failed is answered with 504 if its deadline passed, else with 502.
   */
  forward(response: Response): Token {
    if (response.failed) return this.respond(response.status == Status.TimedOut ? 504 : 502, "upstream failed");
    const submission = answer(changetype<usize>(this), 200);
    submission.flags |= <u16>RESPOND_FORWARD;
    submission.argument_1 = response.resource;
    return commit(submission);
  }

  /** Answers with `status` and the headers set so far, and streams the body that the host holds as `resource`. */
  stream(status: u32, resource: u32): Token {
    const submission = answer(changetype<usize>(this), status);
    submission.argument_1 = resource;
    return commit(submission);
  }
}

/** The request's head: (method, URL), then its headers unless they are omitted. */
function headOf(exchange: usize): Pairs {
  return changetype<Pairs>(exchange + offsetof<Exchange>());
}

/** A response whose body is yet to be added. Nobody waits for its completion. */
function answer(exchange: usize, status: u32): Submission {
  const scope = load<usize>(exchange, offsetof<Exchange>("within"));
  const end = endScope;
  if (end && scope) end(changetype<Anything>(scope));
  const submission = prepare(0);
  encodeRespond(
    submission,
    load<u32>(exchange, offsetof<Exchange>("resource")),
    status,
    load<usize>(exchange, offsetof<Exchange>("sent")),
  );
  return submission;
}

function pathOf(head: Pairs): string {
  const url = head.valueAt(0);
  const end = url + head.valueBytes(0);
  const start = pathStart(url, end);
  return readText(start, <u32>(queryStart(start, end) - start));
}

function queryOf(head: Pairs): string {
  const url = head.valueAt(0);
  const end = url + head.valueBytes(0);
  const start = queryStart(url, end);
  return start == end ? "" : readText(start + 1, <u32>(end - start - 1));
}

let isServing = false;

/**
 * Calls `fn` for each incoming request. To be called once, while the module starts. With `RequestHeaders.Omitted`
 * requests come without their headers, for handlers that look at none. (1 is Included, as in accept.ts.)
 */
export function serve(fn: (exchange: Exchange) => void, headers: RequestHeaders = 1): Token {
  if (isServing) abort("serve: call it once");
  isServing = true;
  headersOmitted = headers == RequestHeaders.Omitted;
  return thenAt(newAccept(EventKind.Fetch, headers), changetype<usize>(fn), changetype<usize>(onIncoming));
}

function onIncoming(fn: usize, incoming: Incoming): void {
  if (!incoming.failed) changetype<(exchange: Exchange) => void>(fn)(new Exchange(incoming));
}
