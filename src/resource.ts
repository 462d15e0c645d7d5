// Resource: a capability of the guest. It reaches nothing that is not one of these.
//
// Grants belong to the instance and are opened by name. Exchanges and bodies belong to one context, in whose own table
// alone they are found, so another context's number is BadResource by construction.

import { Status } from "../assembly/abi.ts";
import { Failure, messageOf } from "./failure.ts";

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
export type KvRight = "read" | "write" | "list";

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
}

export type Grant = KvGrant | OriginGrant;

/** What a guest may open, by name. */
export type Grants = Record<string, Grant>;

/**
 * Grants a KV namespace: a Workers binding, or any store with its methods. Without `rights` the guest may read, write
 * and list.
 */
export function kv(store: KvStore, options: { rights?: readonly KvRight[] } = {}): KvGrant {
  if (typeof store?.get !== "function" || typeof store.list !== "function") {
    throw new TypeError("kv: the store is no KV namespace; is the binding's name in wrangler.toml right?");
  }
  const rights = options.rights ?? ["read", "write", "list"];
  for (const right of rights) {
    if (!["read", "write", "list"].includes(right)) {
      throw new TypeError(`kv: "${right}" is no right; rights are "read", "write" and "list"`);
    }
  }
  return { kind: "kv", store, rights: new Set(rights) };
}

/**
 * Grants HTTP origins such as `https://api.example.com`, redirects included. `fetcher` sends the requests: a Workers
 * service binding, or anything with a `fetch`; by default the platform's `fetch` does.
 */
export function origin(
  origins: string | readonly string[],
  options: { fetcher?: { fetch: FetchFunction } } = {},
): OriginGrant {
  const list = typeof origins === "string" ? [origins] : origins;
  if (list.length === 0) throw new TypeError("origin: give at least one origin, such as https://api.example.com");
  const fetcher = options.fetcher;
  return {
    kind: "origin",
    origins: list.map(checkedOrigin),
    fetch: fetcher ? (url, init) => fetcher.fetch(url, init) : (url, init) => fetch(url, init),
  };
}

function checkedOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || (text !== url.origin && text !== `${url.origin}/`)) {
    throw new TypeError(`origin: "${text}" is no origin; write it as https://api.example.com, without a path`);
  }
  return url.origin;
}

/** One incoming request: its body once, its response once. */
export class Exchange {
  readonly kind = "exchange";
  answered = false;
  #bodyTaken = false;

  constructor(
    readonly request: Request,
    private readonly context: { answer(response: Response): void },
  ) {}

  /** Answers, once. */
  answer(response: Response): void {
    this.answered = true;
    this.context.answer(response);
  }

  takeBody(): ReadableStream<Uint8Array> | null {
    if (this.#bodyTaken) throw new Failure(Status.Closed, "the request's body was read or sent before");
    this.#bodyTaken = true;
    return this.request.body;
  }
}

/** A fetched response whose body stays on the host. */
export class Body {
  readonly kind = "body";
  #taken = false;

  constructor(readonly response: Response) {}

  takeBody(): ReadableStream<Uint8Array> | null {
    return this.takeResponse().body;
  }

  takeResponse(): Response {
    if (this.#taken) throw new Failure(Status.Closed, "the response's body was read or sent before");
    this.#taken = true;
    return this.response;
  }

  /** A body that nobody reads holds its connection open: it is cancelled, once. */
  dispose(): void {
    if (this.#taken) return;
    this.#taken = true;
    cancelBody(this.response);
  }
}

/** What a number of the guest's stands for. */
export type Resource = Grant | Exchange | Body;

/** Lets go of a response that nobody will read. */
export function cancelBody(response: Response): void {
  if (response.body && !response.bodyUsed) response.body.cancel().catch(() => {});
}

/** The KV namespace `resource`, granted with `right`. Throws BadResource or NotPermitted. */
export function storeOf(resource: Resource | undefined, right: KvRight): KvStore {
  const grant = grantOf(resource, "kv");
  if (!grant.rights.has(right)) throw new Failure(Status.NotPermitted, `the namespace was granted without "${right}"`);
  return grant.store;
}

/** The exchange `resource`, else BadResource. */
export function exchangeOf(resource: Resource | undefined): Exchange {
  if (resource instanceof Exchange) return resource;
  throw new Failure(Status.BadResource, "not an exchange of this context");
}

/** The grant `resource` if it is of this kind, else BadResource. */
export function grantOf<K extends Grant["kind"]>(resource: Resource | undefined, kind: K): Extract<Grant, { kind: K }> {
  if (resource?.kind !== kind) throw new Failure(Status.BadResource, `not a granted resource of kind "${kind}"`);
  return resource as Extract<Grant, { kind: K }>;
}

/** The exchange or body `resource`, else BadResource. */
export function bodyOf(resource: Resource | undefined): Exchange | Body {
  if (resource instanceof Exchange || resource instanceof Body) return resource;
  throw new Failure(Status.BadResource, "neither an exchange nor a response of this context");
}

/** Reads a body to its end. Throws TooBig, and lets go of the rest, as soon as it has more than `bytesMax` bytes. */
export async function readBody(
  body: ReadableStream<Uint8Array> | null,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (!body) return new Uint8Array(0);
  const reader = body.getReader();
  const letGo = (): void => void reader.cancel(signal.reason).catch(() => {});
  // A fetch that ignored its abort comes here with a body that nobody wants any more, and that may never end.
  if (signal.aborted) letGo();
  signal.addEventListener("abort", letGo, { once: true });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await nextChunk(reader);
    if (done) return chunks.length === 1 ? chunks[0]! : concatenate(chunks, bytes);
    chunks.push(value);
    bytes += value.length;
    if (bytes > bytesMax) {
      reader.cancel().catch(() => {});
      throw new Failure(Status.TooBig, `the body has more than ${bytesMax} bytes`);
    }
  }
}

async function nextChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read();
  } catch (error) {
    throw new Failure(Status.Aborted, `the body broke off: ${messageOf(error)}`);
  }
}

function concatenate(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
