import { createWorker, kv } from "wasm-proactor/cloudflare";
import app from "./guest.wasm";

interface Env {
  STORE: KVNamespace;
}

export default createWorker(app, (env: Env) => ({ STORE: kv(env.STORE) }));
