// Durable Object: one proactor for all requests of an object, which outlives each of them.
//
// A Worker's request may touch its own I/O alone. An object's requests may touch each other's, and it serves them all in
// one thread, which is what "shared" isolation is for: one instance of the module, whose guest can keep in its memory what
// its requests have in common.

import { DurableObject } from "cloudflare:workers";
import { Proactor, kv, origin } from "wasm-proactor";
import type { Isolation } from "wasm-proactor";
import app from "../build/worker.wasm";

interface Env {
  HOST: DurableObjectNamespace<Host>;
  CACHE: KVNamespace;
  UPSTREAM: Fetcher;
  /** "shared" if not set. */
  ISOLATION?: Isolation;
}

export class Host extends DurableObject<Env> {
  readonly #proactor: Proactor;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#proactor = new Proactor(app, {
      isolation: env.ISOLATION ?? "shared",
      resources: { CACHE: kv(env.CACHE), UPSTREAM: origin("http://upstream.internal", { fetcher: env.UPSTREAM }) },
    });
  }

  // No lifetime: an object lives on after an answer. So `request.signal` is what tells that a client has gone away.
  override fetch(request: Request): Promise<Response> {
    return this.#proactor.fetch(request);
  }
}

export default {
  fetch: (request, { HOST }) => HOST.getByName("the only one").fetch(request),
} satisfies ExportedHandler<Env>;
