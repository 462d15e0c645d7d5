import { expect, test } from "vitest";
import { Example } from "./example.ts";

/** Each decides other delays, and with them the order in which the reads end. */
const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

test.for(SEEDS)("gather-files: results are in the order of submission (seed %i)", async (seed) => {
  const example = await Example.start("gather-files", { seed });
  const joined = "three one two ";
  expect(await example.fetch("/all?files=c.txt,a.txt,b.txt")).toEqual({ status: 200, text: joined });
  expect(await example.get("joined")).toBe(joined);
  // Three reads at once and a write take as long as two calls at most, of up to 50 ms each.
  expect(example.world.clock.now()).toBeLessThanOrEqual(100);
});

test("gather-files: one that is missing is an error, and nothing is written", async () => {
  const example = await Example.start("gather-files");
  const { status, text } = await example.fetch("/all?files=a.txt,missing.txt,b.txt");
  expect([status, text]).toEqual([404, "kv: there is no such key"]);
  expect(await example.get("joined")).toBeNull();
});

test("gather-files: or what is there is joined, and the answer says what is not", async () => {
  const { world, app, ...example } = await Example.start("gather-files");
  const request = new Request("http://localhost/found?files=no.txt,b.txt,nor.txt,a.txt");
  const response = await world.run(app.fetch(request));
  expect([response.status, response.headers.get("x-missing")]).toEqual([200, "no.txt,nor.txt"]);
  expect(await response.text()).toBe("two one ");
  expect(await example.store.get("joined", { type: "arrayBuffer" })).not.toBeNull();
});

test("gather-files: a store that fails is an answer", async () => {
  const example = await Example.start("gather-files", { faults: { kvRateLimited: 1 } });
  expect(await example.fetch("/all?files=a.txt,b.txt")).toMatchObject({ status: 502 });
  expect(await example.fetch("/found?files=a.txt,b.txt")).toMatchObject({ status: 502 });
  expect(await example.fetch("/all")).toMatchObject({ status: 400 });
});
