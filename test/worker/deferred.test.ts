import { afterAll, beforeAll, expect, test } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import type { Local } from "../../scripts/miniflare.ts";

let local: Local;

beforeAll(async () => {
  // workerd warns of each promise; that they are dropped is what is wanted.
  local = await startLocal({ entry: "test/workerd/fixture/deferred.ts", onLog: () => {} });
});
afterAll(() => local.dispose());

test("deferred: what a killed request waited for never goes on, not even once the code is optimized", async () => {
  // It takes about 15,000 promises until the compiler optimizes how they are made.
  for (let round = 0; round < 8; round++) {
    expect((await fetch(`${local.url}/make`)).status).toBe(500);
    expect(await (await fetch(`${local.url}/resolve`)).json()).toEqual({ resolved: 5_000, reactions: 0 });
  }
});
