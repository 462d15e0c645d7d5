// Seeds: a few hundred of them, as `npm run simulate` runs thousands; and whether the simulator finds what is wrong.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { path } from "../../scripts/paths.ts";
import { loadInterpreters, loadSimulator } from "../../simulate/bundle.ts";
import { PLANTED, patched } from "../../simulate/planted.ts";
import type { Planted } from "../../simulate/planted.ts";
import { runSeed } from "../../simulate/seed.ts";

const SEEDS = 300;
const SEEDS_PER_BUG_MAX = 1000;
/** Every run has the same seeds; SEED=… begins elsewhere. */
const FIRST = Number(process.env["SEED"] ?? 1);

const interpreters = loadInterpreters();

test(`seeds: ${SEEDS} worlds, and every promise is kept`, { timeout: 600_000 }, async () => {
  const failures: string[] = [];
  const seen = new Map<string, number>();
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const run = await runSeed(interpreters, seed).catch((error: Error) => void failures.push(error.message));
    for (const { response } of run?.answers ?? []) {
      const what = response.status === 500 ? "failed" : "answered";
      seen.set(what, (seen.get(what) ?? 0) + 1);
    }
  }
  expect(failures).toEqual([]);
  // Most requests survive, and are checked to the byte.
  expect(seen.get("answered")).toBeGreaterThan(SEEDS * 3);
  expect(seen.get("failed")).toBeGreaterThan(SEEDS / 10);
});

test("seeds: a seed runs the same way again, to the byte", async () => {
  const hashes = async (): Promise<string[]> => {
    const found: string[] = [];
    for (let seed = FIRST; seed < FIRST + 20; seed++) found.push((await runSeed(interpreters, seed)).hash);
    return found;
  };
  const first = await hashes();
  expect(new Set(first).size).toBe(first.length);
  expect(await hashes()).toEqual(first);
});

/** The first seed that finds it. `npm run simulate -- --planted` looks for all of them. */
async function seedThatFinds(bug: Planted): Promise<number> {
  const simulator = await loadSimulator(bug);
  for (let seed = 1; seed <= SEEDS_PER_BUG_MAX; seed++) {
    const failed = await simulator.runSeed(simulator.interpreters, seed).then(
      () => false,
      () => true,
    );
    if (failed) return seed;
  }
  return Infinity;
}

test.for(["a deadline ends the operation and not its work", "a slot's generation stays what it was"])(
  "seeds: a planted bug is found: %s",
  { timeout: 600_000 },
  async (title) => {
    const bug = PLANTED.find((bug) => bug.title === title)!;
    expect(await seedThatFinds(bug)).toBeLessThanOrEqual(SEEDS_PER_BUG_MAX);
  },
);

test.for(PLANTED)("seeds: a planted bug is a change of what is there: $title", (bug) => {
  const text = readFileSync(path(bug.file), "utf8");
  expect(patched(text, bug)).not.toBe(text);
});
