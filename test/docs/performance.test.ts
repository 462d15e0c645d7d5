// What is between the markers of docs/performance.md and README.md, and the plots, are made from docs/performance.json.

import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { allCells } from "../../bench/cells.ts";
import { plots } from "../../bench/figures.ts";
import { CLAIMS, cellsOf } from "../../bench/goals.ts";
import { PAGES, PLOTS, withResults } from "../../bench/report.ts";
import { FULL_RESULTS, readResults } from "../../bench/results.ts";
import { path } from "../../scripts/paths.ts";

const results = readResults(FULL_RESULTS);

test.for(PAGES)("performance: what %s shows is what was measured", (page) => {
  const text = readFileSync(path(page), "utf8");
  expect(text).toContain("<!-- performance: ");
  expect(withResults(text, results), "npm run bench:report").toBe(text);
});

test("performance: the plots show what was measured", () => {
  const drawn = readdirSync(path(PLOTS)).map((file) => [file, readFileSync(path(PLOTS, file), "utf8")]);
  expect(Object.fromEntries(drawn), "npm run bench:report").toEqual(plots(results));
});

test("performance: every goal and every guard is of a cell that there is", () => {
  const [all, quick] = [false, true].map((quick) => new Set(allCells(quick).map(({ name }) => name)));
  const missing = CLAIMS.flatMap((claim) => {
    const aimed = claim.goal ? cellsOf(claim).filter((cell) => !all!.has(cell)) : [];
    const guarded = claim.guard ? cellsOf(claim).filter((cell) => !quick!.has(cell)) : [];
    return aimed.concat(guarded);
  });
  expect(missing).toEqual([]);
});
