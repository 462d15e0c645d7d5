// What the HTTP cells compare with: the same answers from a Worker without a guest. Its twin is ../../guest/http.ts.

interface Env {
  CACHE: KVNamespace;
}

const headers = { "content-type": "text/plain" };
const keys = Array.from({ length: 10 }, (_, index) => `key-${index}`);
const parts = Array.from({ length: 5 }, (_, index) => `http://upstream.test/part/${index}`);

async function textOf(url: string): Promise<string> {
  const response = await fetch(url);
  return response.text();
}

const routes: Record<string, (request: Request, env: Env) => Response | Promise<Response>> = {
  "/hello": () => new Response("hello", { headers }),

  "/kv": async (_, env) => new Response(await env.CACHE.get("key-0"), { headers }),

  async "/kv-10"(_, env) {
    const values = await Promise.all(keys.map((key) => env.CACHE.get(key)));
    return new Response(values.join(""), { headers });
  },

  async "/fetch-5"() {
    const texts = await Promise.all(parts.map(textOf));
    return new Response(texts.join(""), { headers });
  },

  "/echo": async (request) => new Response(await request.arrayBuffer(), { headers }),

  "/forward": () => fetch("http://upstream.test/large"),
};

export default {
  fetch(request: Request, env: Env): Response | Promise<Response> {
    const route = routes[new URL(request.url).pathname];
    return route ? route(request, env) : new Response("", { status: 404 });
  },
};
