// From nothing to a first response: `node start-up.ts plain|wasm-proactor|floor`. Prints milliseconds.

import { readFileSync } from "node:fs";
import { path } from "../../scripts/paths.ts";
import { payloads } from "../payload.ts";

type Fetch = (request: Request) => Promise<Response>;

const laps: Record<string, number> = {};
const compile = (name: string): WebAssembly.Module =>
  new WebAssembly.Module(readFileSync(path(`build/bench/${name}.wasm`)));

// Node's own classes come late, for everybody.
const headers = { "content-type": "text/plain" };
await new Response(new Request("http://bench/", { headers }).url, { headers }).text();
let since = performance.now();

/** Milliseconds since the last one. */
function lap(name: string): void {
  const now = performance.now();
  laps[name] = now - since;
  since = now;
}

const ways: Record<string, () => Promise<Fetch>> = {
  plain: async () => async () => new Response("hello", { headers }),

  async "wasm-proactor"() {
    const { Proactor, kv, origin } = await import("wasm-proactor");
    lap("load");
    const module = compile("http");
    lap("compile");
    const resources = { CACHE: kv(payloads), UPSTREAM: origin("http://upstream.test") };
    const app = new Proactor(module, { resources });
    lap("instance");
    return (request) => app.fetch(request);
  },

  /** A module without code. */
  async floor() {
    const module = compile("empty");
    lap("compile");
    void new WebAssembly.Instance(module, { proactor_v1: { abort: () => {} } });
    lap("instance");
    return async () => new Response("hello", { headers });
  },
};

const fetch = await ways[process.argv[2]!]!();
const response = await fetch(new Request("http://bench/hello"));
if ((await response.text()) !== "hello") throw new Error(`answered ${response.status}`);
lap("first");
const total = Object.values(laps).reduce((sum, ms) => sum + ms, 0);
console.log(JSON.stringify({ total, ...laps }));
process.exit();
