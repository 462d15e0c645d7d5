import { createWorker, kv, origin } from "wasm-proactor/cloudflare";
import { jspi } from "wasm-proactor/fiber";
import app from "./guest.wasm";

interface Env {
  STORE: KVNamespace;
  API: Fetcher;
}

export default createWorker(
  app,
  (env: Env) => ({
    STORE: kv(env.STORE, { rights: ["read", "write"] }),
    API: origin("https://api.example.com", { fetcher: env.API }),
  }),
  // The engine provides the stacks of fibers.
  { instantiate: jspi() },
);
