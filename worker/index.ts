// The deployed Worker: grants the guest its bindings and nothing else. All logic is in guest/index.ts.

import app from "../build/worker.wasm";
import { createWorker, kv, origin } from "../src/cloudflare.ts";
import type { Isolation } from "../src/index.ts";

interface Env {
  CACHE: KVNamespace;
  UPSTREAM: Fetcher;
  /** "request", "pooled" or "shared"; "pooled" if not set. */
  ISOLATION?: Isolation;
}

export default createWorker<Env>(
  app,
  (env) => ({
    CACHE: kv(env.CACHE, { rights: ["read", "write", "list"] }),
    UPSTREAM: origin("http://upstream.internal", { fetcher: env.UPSTREAM }),
  }),
  (env) => ({ isolation: env.ISOLATION ?? "pooled" }),
);
