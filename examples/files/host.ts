import { createWorker, kv, origin } from "wasm-proactor/cloudflare";
import app from "./guest.wasm";

interface Env {
  STORE: KVNamespace;
}

/** The namespace as an origin: a value is the body of a response, or of a request, and is streamed. */
function streamed(store: KVNamespace) {
  return {
    async fetch(url: string, { method, body }: RequestInit): Promise<Response> {
      const key = new URL(url).pathname;
      if (method === "PUT") {
        await store.put(key, (body ?? "") as ReadableStream | string);
        return new Response("written", { status: 201 });
      }
      const value = await store.get(key, "stream");
      return value ? new Response(value) : new Response("there is no such file", { status: 404 });
    },
  };
}

export default createWorker(
  app,
  (env: Env) => ({
    STORE: kv(env.STORE, { rights: ["read", "write"] }),
    LARGE: origin("https://large.internal", { fetcher: streamed(env.STORE) }),
  }),
  // No larger body is ever let into the module.
  { limits: { bodyBytes: 1_000_000 } },
);
