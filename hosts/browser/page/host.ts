// Host: the proactor of a page, with a store and an upstream that are in the page too. Nothing leaves it.

import { Proactor, kv, origin } from "wasm-proactor";
import type { ErrorReport, FetchFunction } from "wasm-proactor";
import upstream from "../../../scripts/upstream.ts";
import { watchBorder } from "./border.ts";
import type { Crossing } from "./border.ts";
import { indexedDbKv } from "./kv.ts";

/** What the guest believes to be asked for, and to ask. */
const HERE = "http://playground.local";
const UPSTREAM = "http://upstream.internal";

export interface PageHostOptions {
  readonly module: BufferSource;
  /** The name of the store. */
  readonly store: string;
  readonly onCrossing?: (crossing: Crossing) => void;
  readonly onError?: (report: ErrorReport) => void;
}

export class PageHost {
  readonly #app: Proactor;

  private constructor(app: Proactor) {
    this.#app = app;
  }

  static async start({ module, store, onCrossing = () => {}, onError }: PageHostOptions): Promise<PageHost> {
    const resources = { CACHE: kv(await indexedDbKv(store)), UPSTREAM: origin(UPSTREAM, { fetcher: { fetch } }) };
    return new PageHost(
      await Proactor.instantiate(module, {
        resources,
        // A browser has room for the memories of about a hundred instances, whatever their size, and a page has one user.
        isolation: "shared",
        instantiate: watchBorder(onCrossing),
        ...(onError && { onError }),
      }),
    );
  }

  /** Sends a request as a client would, without a network between. */
  async send(path: string, init?: RequestInit): Promise<Response> {
    // Not relative to a base: a path may begin with two slashes.
    const request = new Request(HERE + path, init);
    const response = await this.#app.fetch(request);
    request.signal.throwIfAborted();
    if (request.method !== "HEAD") return response;
    // What a server does: the head alone is sent.
    await response.body?.cancel();
    return new Response(null, response);
  }

  get counters(): Proactor["counters"] {
    return this.#app.counters;
  }
}

/** The upstream, as `fetch` would reach it: who aborts no longer waits for it. */
const fetch: FetchFunction = (url, init) => {
  const { signal } = init;
  const gone = new Promise<never>((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([upstream.fetch(new Request(url, init)), gone]);
};

/** What the upstream has seen. */
export async function upstreamStats(method: "GET" | "DELETE" = "GET") {
  return (await upstream.fetch(new Request(`${UPSTREAM}/stats`, { method }))).json();
}
