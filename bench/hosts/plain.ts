// Plain: three of the Worker's routes as a handler of this runtime writes them, without any WebAssembly, behind the same
// server as the host. `node bench/hosts/plain.ts UPSTREAM`

import process from "node:process";
import type { Answer, Listen } from "../../hosts/serve.ts";

const upstream = process.argv[2]!;
const store = new Map<string, ArrayBuffer>();
const headers = { "content-type": "text/plain; charset=utf-8" };

async function kv(key: string, request: Request): Promise<Response> {
  if (request.method === "PUT") {
    store.set(key, await request.arrayBuffer());
    return new Response(null, { status: 204 });
  }
  const value = store.get(key);
  return value ? new Response(value, { headers }) : new Response("no such key", { status: 404 });
}

async function aggregate({ searchParams }: URL): Promise<Response> {
  const started = Date.now();
  const fetches = Array.from({ length: Number(searchParams.get("n")) }, async (_, index) => {
    const start = Date.now() - started;
    const response = await fetch(`${upstream}/part/${index}?delay=${searchParams.get("delay")}`);
    await response.arrayBuffer();
    return { start, end: Date.now() - started, status: response.status };
  });
  const all = await Promise.all(fetches);
  return Response.json({ took: Date.now() - started, fetches: all });
}

const answer: Answer = async (request) => {
  const url = new URL(request.url);
  if (url.pathname === "/hello") return new Response("hello", { headers });
  if (url.pathname.startsWith("/kv/")) return kv(decodeURIComponent(url.pathname.slice("/kv/".length)), request);
  return aggregate(url);
};

const runtime = ["deno", "bun"].find((name) => name in process.versions) ?? "node";
const { listen } = (await import(`../../hosts/${runtime}/http.ts`)) as { listen: Listen };
const server = await listen(answer, { hostname: "127.0.0.1", port: 0 });
process.on("SIGTERM", () => process.exit());
console.log(`listening on ${server.url}`);
