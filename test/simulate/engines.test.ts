// Engines: the same seed gives the same run, to the byte, in Node and inside workerd, whose streams, timers and events are
// other code. What differs is no promise of anybody's, and a hash that held it would be of no use. An engine that is not
// V8 is none of this project's tools: `npm run simulate -- --engine` compares with one, and here is shown that it can fail.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import { path } from "../../scripts/paths.ts";
import { loadInterpreters } from "../../simulate/bundle.ts";
import { compareEngines } from "../../simulate/engines.ts";
import type { Command, Comparison } from "../../simulate/engines.ts";
import { runSeed } from "../../simulate/seed.ts";

const LAST = 15;

const interpreter = (name: string): Uint8Array => readFileSync(path(`build/simulate/${name}.wasm`));

test(`engines: ${LAST} seeds have the same hashes in Node and inside workerd`, async () => {
  const local = await startLocal({
    entry: "test/workerd/fixture/simulate.ts",
    modules: {
      "incremental.wasm": interpreter("program"),
      "minimal.wasm": interpreter("program.minimal"),
      "stub.wasm": interpreter("program.stub"),
    },
  });
  try {
    const answer = fetch(`${local.url}/?from=1&to=${LAST}`).then((response) => response.text());
    const here: string[] = [];
    for (let seed = 1; seed <= LAST; seed++) here.push(`${seed} ${(await runSeed(loadInterpreters(), seed)).hash}`);
    expect((await answer).split("\n")).toEqual(here);
  } finally {
    await local.dispose();
  }
});

const NODE: Command = [process.execPath];
/** The same, and a function more, by which it knows itself. */
const OTHER: Command = [process.execPath, "--expose-gc"];

/** A store that lists its keys in an order of the engine's own. No promise is broken, and yet the runs differ. */
const ORDER_OF_ITS_OWN = {
  title: "a store lists its keys backwards in one engine",
  file: "src/kv-memory.ts",
  find: ".toSorted(byUtf8)",
  replace: '.toSorted("gc" in globalThis ? (a, b) => byUtf8(b, a) : byUtf8)',
};

test("engines: one that does something else is found, with the first seed in which it does", async () => {
  const compare = (from: number, count: number): Promise<Comparison> =>
    compareEngines([NODE, OTHER], { from, count, bug: ORDER_OF_ITS_OWN });
  const { names, difference } = await compare(1, 100);
  expect(names).toEqual([`node ${process.versions.node}`, `node ${process.versions.node}`]);
  const { seed, traces } = difference!;
  expect(seed).toBeGreaterThan(1);
  expect(traces[0]).not.toBe(traces[1]);
  expect((await compare(1, seed - 1)).difference).toBeUndefined();
  expect((await compare(seed, 1)).difference?.seed).toBe(seed);
});

test.for<[what: string, other: Command, message: RegExp]>([
  ["that is not there", ["no-such-engine"], /no-such-engine/],
  ["that fails", [process.execPath, "--no-such-option"], /no-such-option/],
  ["that plays nothing", [process.execPath, "--eval", ""], /has played 0 of 3 seeds/],
])("engines: one %s is no other engine", async ([, other, message]) => {
  await expect(compareEngines([NODE, other], { from: 1, count: 3 })).rejects.toThrow(message);
});
