import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { path } from "../../scripts/paths.ts";
import { Proactor } from "../../src/index.ts";
import { Simulation } from "../../src/testing/index.ts";

/** Serves so many requests at once, each in an instance of its own, and tells how many instances were kept. */
async function keptAfter(requests: number, idleBytes: number): Promise<number> {
  const world = new Simulation();
  const resources = { CACHE: world.kv(), API: world.origin("https://api.test", () => new Response("page")) };
  const bytes = readFileSync(path("build/test/size.wasm"));
  const app = await Proactor.instantiate(bytes, { resources, clock: world.clock, limits: { idleBytes } });
  const get = (): Promise<Response> => app.fetch(new Request("http://localhost/page"));
  await world.run(Promise.all(Array.from({ length: requests }, get)));
  expect(app.counters.instantiated).toBe(requests);
  return app.counters.instances;
}

test("pool: idle instances are kept while their memory together is within the limit", async () => {
  const page = 65_536;
  expect(await keptAfter(20, 1_000 * page)).toBe(20);
  // An instance of this guest has one or two pages.
  const kept = await keptAfter(20, 8 * page);
  expect(kept).toBeGreaterThanOrEqual(4);
  expect(kept).toBeLessThanOrEqual(8);
  expect(await keptAfter(20, 1)).toBe(0);
});
