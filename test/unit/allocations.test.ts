// The budget of allocations: how often a guest allocates for an operation, and for a request. Less is news, more is a
// mistake; both change a number here.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { path } from "../../scripts/paths.ts";
import { Proactor, kv, origin } from "../../src/index.ts";
import { Simulation, memoryKv } from "../../src/testing/index.ts";

const module = new WebAssembly.Module(readFileSync(path("build/test/allocations.stub.wasm")));

async function start(): Promise<(path: string) => Promise<string>> {
  const world = new Simulation();
  const store = memoryKv(world.clock);
  await store.put("key", new TextEncoder().encode("value").buffer, {});
  const resources = {
    CACHE: kv(store),
    API: origin("https://api.test", { fetcher: { fetch: async () => new Response() } }),
  };
  const app = new Proactor(module, { resources, clock: world.clock, isolation: "shared" });
  return async (path) => (await world.run(app.fetch(new Request(`http://localhost${path}`)))).text();
}

test.for([
  [0, "/submit", "an operation that is there, submitted to a handler that is there"],
  [0, "/read", "a read that is there"],
  [0, "/cancel", "a cancel"],
  [1, "/then", "then(context, fn)"],
  [1, "/new", "a new operation"],
  [1, "/new-read", "a new read of a key that is there"],
  [2, "/new-fetch", "a new fetch"],
  [2, "/text", "then, and the value's text"],
] as const)("allocations: %i for %s, %s", async ([count, path]) => {
  const ask = await start();
  expect(Number(await ask(path))).toBe(count);
});

test.for([
  [2, "/hello", "one that is answered at once"],
  [4, "/kv", "one that is answered from KV"],
] as const)("allocations: %i for a request, %s: %s", async ([count, path]) => {
  const ask = await start();
  for (let warm = 0; warm < 10; warm++) await ask(path);
  await ask("/mark");
  for (let asked = 0; asked < 100; asked++) await ask(path);
  // The request that asks counts itself: its exchange and its path.
  expect(Number(await ask("/count"))).toBe(count * 100 + 2);
});
