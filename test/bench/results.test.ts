import { expect, test } from "vitest";
import { merge } from "../../bench/results.ts";
import type { Results } from "../../bench/results.ts";

/** What a run has shown of some cells. */
function resultsOf(date: string, ...cells: string[]): Results {
  const run = { date, commit: "", machine: "", versions: {}, seed: 1, load: 0 };
  return {
    runs: [run],
    cells: Object.fromEntries(cells.map((cell) => [cell, { run: date, metrics: {}, variants: {} } as never])),
  };
}

const datesOf = ({ runs }: Results): string[] => runs.map(({ date }) => date);

test("results: a run is named once, however many of its cells are merged one by one", () => {
  const first = merge(resultsOf("1", "a"), resultsOf("2", "b"));
  const both = merge(first, resultsOf("2", "c"));
  expect(datesOf(both)).toEqual(["1", "2"]);
  expect(Object.keys(both.cells)).toEqual(["a", "b", "c"]);
});

test("results: a run goes when its last cell was measured anew", () => {
  expect(datesOf(merge(resultsOf("1", "a", "b"), resultsOf("2", "a")))).toEqual(["1", "2"]);
  expect(datesOf(merge(resultsOf("1", "a", "b"), resultsOf("2", "a", "b")))).toEqual(["2"]);
});
