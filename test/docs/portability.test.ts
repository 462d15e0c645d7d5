// The tables of hosts are those that docs/portability.json makes.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PAGES, readResults, withTables } from "../../conformance/portability.ts";
import { path } from "../../scripts/paths.ts";

test.for(PAGES)("portability: the tables in %s are made from what was run", (page) => {
  const text = readFileSync(path(page), "utf8");
  expect(text).toContain("<!-- portability: ");
  expect(withTables(text, readResults()), "npm run portability").toBe(text);
});

test("portability: every host that is listed has passed what it ran, and all traces are alike", () => {
  const results = Object.entries(readResults());
  expect(
    results.flatMap(([name, { conformance, http }]) => (conformance?.failed || http?.failed ? [name] : [])),
  ).toEqual([]);
  const hashes = results.flatMap(([, { conformance }]) =>
    conformance && !conformance.skipped ? [conformance.hash] : [],
  );
  expect(new Set(hashes).size).toBe(1);
});
