// A few seconds of fuzzing in both directions, and what longer runs have found.
// `npm run fuzz` plays as many cases as there is time for; docs/guarantees.md says how many, and what that finds.

import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { path } from "../../scripts/paths.ts";
import { DIRECTIONS, Fuzzer } from "./fuzz.ts";

const CASES = 30_000;
const seed = Number(process.env["SEED"] ?? 1);

test.for(DIRECTIONS)(
  "fuzz: %s: nothing that is sent to it breaks a promise",
  { timeout: 600_000 },
  async (direction) => {
    expect(await (await Fuzzer.start()).run(direction, seed, CASES)).toBeUndefined();
  },
);

const files = globSync("test/fuzz/cases/*.json", { cwd: path("") }).toSorted();

test.for(files.map((file) => [basename(file, ".json"), file] as const))("fuzz: %s", async ([, file]) => {
  const { script } = JSON.parse(readFileSync(path(file), "utf8"));
  expect((await (await Fuzzer.start()).play(script)).violation).toBeUndefined();
});

test.for(DIRECTIONS)("fuzz: %s: the same seed plays the same script to the same end", async (direction) => {
  const fuzzer = await Fuzzer.start();
  const play = () => fuzzer.play(fuzzer.script(direction, 7));
  const [first, second] = [await play(), await play()];
  expect(first.cases).toBeGreaterThan(100);
  expect(second).toEqual(first);
});
