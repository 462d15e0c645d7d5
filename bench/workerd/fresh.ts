// Makes `count` instances of a guest, each with a proactor of its own.

import app from "../../build/bench/http.wasm";
import { Proactor, kv } from "../../src/index.ts";

export default {
  async fetch(request: Request, env: { CACHE: KVNamespace }): Promise<Response> {
    const count = Number(new URL(request.url).searchParams.get("count"));
    const resources = { CACHE: kv(env.CACHE) };
    for (let made = 0; made < count; made++) void new Proactor(app, { resources });
    return new Response(String(count));
  },
};
