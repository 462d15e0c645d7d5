// The HTTP cells' guest behind the host library, as a user's Worker has it.

import app from "../../../build/bench/http.wasm";
import { createWorker, kv, origin } from "../../../src/cloudflare.ts";
import type { Isolation } from "../../../src/index.ts";

interface Env {
  CACHE: KVNamespace;
  ISOLATION: Isolation;
}

export default createWorker<Env>(
  app,
  (env) => ({ CACHE: kv(env.CACHE, { rights: ["read"] }), UPSTREAM: origin("http://upstream.test") }),
  (env) => ({ isolation: env.ISOLATION }),
);
