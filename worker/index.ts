// The deployed Worker: grants the guest its bindings and nothing else. All logic is in guest/.

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
  // Service bindings are exempt from the platform's limit of six connections, and the guest fetches from nothing else.
  (env) => ({ isolation: env.ISOLATION ?? "pooled", limits: { connections: 30 } }),
);
