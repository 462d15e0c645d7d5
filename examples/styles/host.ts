import { createWorker, kv } from "wasm-proactor/cloudflare";
import { jspi } from "wasm-proactor/fiber";
import app from "./guest.wasm";

interface Env {
  STORE: KVNamespace;
}

export default createWorker(
  app,
  (env: Env) => ({ STORE: kv(env.STORE) }),
  // The engine provides the stacks of fibers.
  { instantiate: jspi() },
);
