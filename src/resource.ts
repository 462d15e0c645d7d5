// Resource: a capability of the guest. It reaches nothing that is not one of these.
//
// Grants belong to the instance and are opened by name. Exchanges and bodies belong to one context, in whose own table
// alone they are found, so another context's number is BadResource by construction.

import { Status } from "../assembly/abi.ts";
import { Failure } from "./failure.ts";
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
