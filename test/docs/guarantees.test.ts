// docs/guarantees.md must name tests and mutants that exist, and every mutant that there is.

import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { path } from "../../scripts/paths.ts";
import { readPatches, rowOf } from "../mutants/patch.ts";
import { Page } from "./markdown.ts";

const page = new Page("docs/guarantees.md");
const promises = page.table("promise", "what it says", "tests").map(([name, , tests]) => ({
  name: name!.split(" ")[0]!,
  tests: [...tests!.matchAll(/`([^`]+)`/g)].map(([, file]) => file!),
}));

test("guarantees: each promise has tests, and they exist", () => {
  for (const { name, tests } of promises) {
    expect(tests, name).not.toEqual([]);
    expect(tests.filter((file) => !existsSync(path(file)))).toEqual([]);
  }
});

test("guarantees: each promise has a mutant, and each mutant a promise", () => {
  const broken = new Set(readPatches().map(({ promise }) => promise));
  expect([...broken]).toEqual(promises.map(({ name }) => name));
});

test("guarantees: the page lists the mutants that there are, as `npm run mutants -- --list` prints them", () => {
  expect(page.table("mutant", "what it does", "noticed by")).toEqual(readPatches().map(rowOf));
});

test("guarantees: the tests that must notice a mutant exist", () => {
  const missing = readPatches().flatMap(({ tests }) => tests.filter((file) => !existsSync(path(file))));
  expect(missing).toEqual([]);
});
