// Workers without a guest that ask of server and runtime what any guest's host has to: bytes instead of texts, fetches that
// can be aborted and whose headers are looked at, a copy into a memory and one out of it, an instance for each request.

import empty from "../../../build/bench/empty.wasm";

interface Env {
  CACHE: KVNamespace;
  ISOLATION?: string;
}

const headers = { "content-type": "text/plain" };
const keys = Array.from({ length: 10 }, (_, index) => `key-${index}`);
const parts = Array.from({ length: 5 }, (_, index) => `http://upstream.test/part/${index}`);
const decoder = new TextDecoder();
const memory = new Uint8Array(new WebAssembly.Memory({ initial: 32 }).buffer);

const valueOf = (key: string, { CACHE }: Env): Promise<ArrayBuffer | null> => CACHE.get(key, { type: "arrayBuffer" });

async function fetched(url: string): Promise<Response> {
  const { signal } = new AbortController();
  const response = await fetch(url, { signal, redirect: "manual" });
  const texts: string[] = [];
  response.headers.forEach((value, name) => texts.push(name, value));
  return response;
}

async function textOf(url: string): Promise<string> {
  const response = await fetched(url);
  return decoder.decode(await response.arrayBuffer());
}

const routes: Record<string, (request: Request, env: Env) => Response | Promise<Response>> = {
  "/hello": () => new Response("hello", { headers }),

  "/kv": async (_, env) => new Response(await valueOf("key-0", env), { headers }),

  async "/kv-10"(_, env) {
    const values = await Promise.all(keys.map((key) => valueOf(key, env)));
    return new Response(values.map((value) => decoder.decode(value!)).join(""), { headers });
  },

  async "/fetch-5"() {
    const texts = await Promise.all(parts.map(textOf));
    return new Response(texts.join(""), { headers });
  },

  async "/echo"(request) {
    const body = new Uint8Array(await request.arrayBuffer());
    memory.set(body);
    return new Response(new Uint8Array(memory.subarray(0, body.length)), { headers });
  },

  "/forward": () => fetched("http://upstream.test/large"),
};

export default {
  fetch(request: Request, env: Env): Response | Promise<Response> {
    if (env.ISOLATION === "request") void new WebAssembly.Instance(empty, { proactor_v1: { abort() {} } });
    const route = routes[new URL(request.url).pathname];
    return route ? route(request, env) : new Response("", { status: 404 });
  },
};
