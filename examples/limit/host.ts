import { createWorker, origin } from "wasm-proactor/cloudflare";
import app from "./guest.wasm";

interface Env {
  API: Fetcher;
}

export default createWorker(app, (env: Env) => ({ API: origin("https://api.example.com", { fetcher: env.API }) }));
