// What the HTTP cells compare with: the same answers from a Worker without a guest. Its twin is ../guest/http.ts.

const headers = { "content-type": "text/plain" };
const keys = Array.from({ length: 10 }, (_, index) => `key-${index}`);

export default {
  async fetch(request: Request, env: { CACHE: KVNamespace }): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/hello") return new Response("hello", { headers });
    if (pathname === "/kv") return new Response(await env.CACHE.get("key-0"), { headers });
    if (pathname === "/kv-10") {
      const values = await Promise.all(keys.map((key) => env.CACHE.get(key)));
      return new Response(values.join(""), { headers });
    }
    return new Response("", { status: 404 });
  },
};
