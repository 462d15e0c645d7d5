// Engines: the same seed gives the same run, to the byte, in Node and inside workerd, whose streams, timers and events are
// other code. What differs is no promise of anybody's, and a hash that held it would be of no use.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import { path } from "../../scripts/paths.ts";
import { loadInterpreters } from "../../simulate/bundle.ts";
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
