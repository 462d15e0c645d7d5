// Resource: a capability of the guest. It reaches nothing that is not one of these.
//
// Grants belong to the instance and are opened by name. Exchanges and bodies belong to one context, in whose own table
// alone they are found, so another context's number is BadResource by construction.

import { Status } from "../assembly/abi.ts";
import { Failure, messageOf } from "./failure.ts";
import { concatenate } from "./memory.ts";
import { checkNames, complete } from "./names.ts";

/** What KV needs of a store: the part of a Workers KV namespace that it uses, so that a namespace is one. */
export interface KvStore {
  get(key: string, options: { type: "arrayBuffer"; cacheTtl?: number }): Promise<ArrayBuffer | null>;
  getWithMetadata(
    key: string,
    options: { type: "arrayBuffer"; cacheTtl?: number },
  ): Promise<{ value: ArrayBuffer | null; metadata: unknown }>;
  put(
    key: string,
    value: ArrayBuffer,
    options: { expiration?: number; expirationTtl?: number; metadata?: unknown },
  ): Promise<void>;
  delete(key: string): Promise<void>;
  list(options: { prefix?: string; limit?: number; cursor?: string }): Promise<KvPage>;
}

export interface KvPage {
  keys: { name: string; expiration?: number; metadata?: unknown }[];
  list_complete: boolean;
  cursor?: string;
}

/** What a guest may do with a KV namespace. */
export type KvRight = (typeof KV_RIGHTS)[number];

const KV_RIGHTS = ["read", "write", "list"] as const;

export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

/** A granted KV namespace. */
export interface KvGrant {
  readonly kind: "kv";
  readonly store: KvStore;
  readonly rights: ReadonlySet<KvRight>;
}

/** Granted HTTP origins. */
export interface OriginGrant {
  readonly kind: "origin";
  /** As `URL.origin` gives them; the first resolves relative URLs. */
  readonly origins: readonly string[];
  readonly fetch: FetchFunction;
  /** Whether the platform's own `fetch` sends: then a body ends with its `content-length`, and when it is aborted. */
  readonly byPlatform: boolean;
}

export type Grant = KvGrant | OriginGrant;

/** What a guest may open, by name. */
export type Grants = Record<string, Grant>;

/**
 * Grants a KV namespace: a Workers binding, or any store with its methods. Without `rights` the guest may read, write
 * and list.
 */
export function kv(store: KvStore, options: { rights?: readonly KvRight[] } = {}): KvGrant {
  // What else has keys and values, such as a bucket, lacks this.
  if (typeof store?.getWithMetadata !== "function")
    throw new TypeError("kv: the store is no KV namespace; is the binding's name right?");
  const { rights } = checkedOptions<{ rights: readonly KvRight[] }>("kv", options, { rights: KV_RIGHTS });
  const granted = [rights].flat();
  checkNames("rights", granted, KV_RIGHTS);
  return { kind: "kv", store, rights: new Set(granted) };
}

/** What sends requests: a service binding, or anything else with a `fetch`. */
export interface Fetcher {
  fetch: FetchFunction;
}

/**
 * Grants HTTP origins such as `https://api.example.com`, redirects included. `fetcher` sends the requests: a Workers
 * service binding, or anything with a `fetch`; by default the platform's `fetch` does.
 */
export function origin(origins: string | readonly string[], options: { fetcher?: Fetcher } = {}): OriginGrant {
  const checked = [origins].flat().map(checkedOrigin);
  if (checked.length === 0) throw new TypeError("origin: give at least one, such as https://api.example.com");
  const { fetcher } = checkedOptions<{ fetcher: Fetcher }>("origin", options, { fetcher: globalThis });
  if (typeof fetcher.fetch !== "function") throw new TypeError("origin: the fetcher has no fetch()");
  const byPlatform = fetcher === globalThis;
  return { kind: "origin", origins: checked, fetch: (url, init) => fetcher.fetch(url, init), byPlatform };
}

/** Options with their defaults. One that is misspelt, or names a binding that is missing, must not grant the default. */
function checkedOptions<T extends object>(grant: string, options: Partial<T>, defaults: T): T {
  const completed = complete(`options of ${grant}`, options, defaults);
  for (const [name, value] of Object.entries(options))
    if (!value) throw new TypeError(`${grant}: ${name} is ${value}; is the binding's name right?`);
  return completed;
}

function checkedOrigin(text: string): string {
  const origin = String(text).replace(/\/$/, "");
  if (/^https?:/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw new TypeError(`origin: "${text}" is none; write it as https://api.example.com, without a path`);
}

/** A request or a response, whose body is read or sent once. */
class Message<M extends Request | Response> {
  taken = false;

  constructor(readonly message: M) {}

  take(): M {
    if (this.taken) throw new Failure(Status.Closed, "this body was read or sent before");
    this.taken = true;
    return this.message;
  }
}

/** One incoming request and its one response. */
export class Exchange extends Message<Request> {
  readonly kind = "exchange";
  answered = false;
  #response: Response | undefined;

  answer(response: Response): void {
    this.answered = true;
    this.#response = response;
  }

  /**
   * The answer, once. It is not kept: an exchange that has waited long enough to be old is garbage that is seldom
   * collected, and would keep the answer's body with it.
   */
  takeResponse(): Response | undefined {
    const response = this.#response;
    this.#response = undefined;
    return response;
  }
}

/** A fetched response whose body stays on the host. */
export class Body extends Message<Response> {
  readonly kind = "body";
}

/** What has a body to read or send. */
export type Source = Exchange | Body;

/** What a number of the guest's stands for. */
export type Resource = Grant | Source;

/** A body that nobody reads holds its connection open: it is cancelled, once. */
export function dispose(resource: Resource): void {
  if (resource instanceof Body && !resource.taken) cancelBody(resource.take());
}

/** Lets go of a response that nobody will read. */
export function cancelBody(response: Response): void {
  const { body, bodyUsed } = response;
  // Async: a fetcher's own kind of body may have no such method.
  if (body && !bodyUsed) (async () => body.cancel())().catch(() => {});
}

// Bytes that one read brings, where it brings as many as there is room for: each read costs the platform much. No room is
// made for more than the larger number at once, whatever a body says of its length.
const READ_BYTES_MIN = 16 * 1024;
const READ_BYTES_MAX = 2 * 1024 * 1024;

interface Reader {
  /** `bytes` bytes, or whatever comes. */
  next(bytes: number): Promise<ReadableStreamReadResult<Uint8Array>>;
  cancel(reason?: unknown): Promise<void>;
}

/** How many bytes a body has by its headers, names and values in turn; 0 if they do not say, or may not be believed. */
export function statedBytes(headers: readonly string[]): number {
  let bytes = 0;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!;
    if (name === "content-length") bytes = Math.max(Number(headers[at + 1]) || 0, 0);
    if (name === "content-encoding" || name === "transfer-encoding") return 0;
  }
  return bytes;
}

/**
 * Reads a body to its end. Throws TooBig, and lets go of the rest, as soon as it has more than `bytesMax` bytes. `expected`
 * is how many it says it has, or 0.
 */
export async function readBody(
  body: ReadableStream<Uint8Array> | null,
  bytesMax: number,
  signal: AbortSignal,
  expected: number,
): Promise<Uint8Array> {
  if (!body) return new Uint8Array(0);
  const reader = readerOf(body);
  const letGo = (): void => void reader.cancel(signal.reason).catch(() => {});
  // A fetch that ignored its abort comes here with a body that nobody wants any more, and that may never end.
  if (signal.aborted) letGo();
  signal.addEventListener("abort", letGo, { once: true });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // With room for one byte more than there are, the first read finds the end.
  for (let room = expected > 0 ? expected + 1 : READ_BYTES_MIN; ; room *= 2) {
    const { done, value } = await reader.next(Math.min(room, READ_BYTES_MAX)).catch(brokeOff);
    // A stream that a program made may bring anything. Bytes of another realm, such as a test runner's, are bytes too.
    if (value && value[Symbol.toStringTag] !== "Uint8Array") {
      letGo();
      throw new Failure(Status.Failed, "the body is not bytes");
    }
    if (value?.length) {
      chunks.push(value);
      bytes += value.length;
    }
    if (bytes > bytesMax) {
      letGo();
      throw tooBig(bytesMax);
    }
    if (done) return chunks.length === 1 ? chunks[0]! : concatenate(chunks);
  }
}

/**
 * The same by one call of the platform instead of five. For a body of which the platform knows how long it is, and that it
 * ends when its fetch is aborted.
 */
export async function readWhole(response: Response, bytesMax: number): Promise<Uint8Array> {
  const bytes = await response.arrayBuffer().catch(brokeOff);
  if (bytes.byteLength > bytesMax) throw tooBig(bytesMax);
  return new Uint8Array(bytes);
}

/** What Workers have beside the standard, and their types know. */
interface ByobReader extends Pick<ReadableStreamBYOBReader, "cancel" | "releaseLock"> {
  readAtLeast?(bytes: number, view: Uint8Array<ArrayBuffer>): Promise<ReadableStreamReadResult<Uint8Array>>;
}

/** One that fills a buffer at a time, if the platform has it for this body; else one that brings what comes. */
function readerOf(body: ReadableStream<Uint8Array>): Reader {
  const reader = byobReaderOf(body);
  if (!reader?.readAtLeast) {
    reader?.releaseLock();
    const reads = body.getReader();
    return { next: () => reads.read(), cancel: (reason) => reads.cancel(reason) };
  }
  return {
    async next(bytes) {
      const { done, value } = await reader.readAtLeast!(bytes, new Uint8Array(bytes));
      // Less than was asked for is all that there was.
      return { done: done || value.length < bytes, value } as ReadableStreamReadResult<Uint8Array>;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

function byobReaderOf(body: ReadableStream<Uint8Array>): ByobReader | undefined {
  try {
    return body.getReader({ mode: "byob" }) as ByobReader;
  } catch {
    return undefined; // A stream that a program made may have no such reader.
  }
}

function tooBig(bytesMax: number): Failure {
  return new Failure(Status.TooBig, `the body has more than ${bytesMax} bytes`);
}

function brokeOff(error: unknown): never {
  throw new Failure(Status.Aborted, `the body broke off: ${messageOf(error)}`);
}
