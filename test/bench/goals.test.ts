// Goals and guards: what a claim comes to, from samples that are made up.

import { expect, test } from "vitest";
import { CLAIMS, beyondGuards, evaluate, guardedVariants, isWithin } from "../../bench/goals.ts";
import type { Claim } from "../../bench/goals.ts";
import type { CellResult, Results } from "../../bench/results.ts";

function resultsOf(cells: Record<string, Record<string, number[]>>): Results {
  const entries = Object.entries(cells).map(([name, variants]): [string, CellResult] => {
    const columns = Object.entries(variants).map(([variant, time]) => [variant, { time }]);
    const metrics = { time: { unit: "ns", better: "less" } } as const;
    return [name, { run: "", metrics, variants: Object.fromEntries(columns), notRun: {} }];
  });
  return { runs: [], cells: Object.fromEntries(entries) };
}

const claim = { says: "", cell: "a", variant: "ours", metric: "time" };
const against = { variant: "theirs" };

test("goals: ratios and differences are taken round by round", () => {
  // Of the medians the ratio would be 1.
  const results = resultsOf({ a: { ours: [10, 40, 20], theirs: [20, 10, 40] } });
  const of = (comparison: Claim["comparison"]) => evaluate({ ...claim, comparison, against }, results)!.median;
  expect(of("value / other")).toBe(0.5);
  expect(of("other / value")).toBe(2);
  expect(of("value − other")).toBe(-10);
  expect(evaluate({ ...claim, comparison: "value" }, results)).toEqual({ low: 15, median: 20, high: 30 });
});

test("goals: rounds of two cells are not divided by each other; the spreads are", () => {
  const results = resultsOf({ a: { ours: [20, 20, 40] }, b: { ours: [10, 10, 10] } });
  const spread = evaluate({ ...claim, comparison: "value / other", against: { cell: "b" } }, results);
  expect(spread).toEqual({ low: 2, median: 2, high: 3 });
});

test("goals: what was not measured is neither met nor missed", () => {
  const results = resultsOf({ a: { ours: [1] } });
  expect(evaluate({ ...claim, comparison: "value / other", against }, results)).toBeUndefined();
  expect(evaluate({ ...claim, comparison: "value", cell: "b" }, results)).toBeUndefined();
});

test("goals: a limit is met at the limit", () => {
  expect([0.98, 0.9799].map((value) => isWithin({ least: 0.98 }, value))).toEqual([true, false]);
  expect([0.5, 0.5001].map((value) => isWithin({ most: 0.5 }, value))).toEqual([true, false]);
});

test("guards: what is beyond one is found, and nothing else", () => {
  const cell = "noop/node/256";
  expect(guardedVariants(cell)).toEqual(new Set(["wasm-proactor", "promises"]));
  const { guard } = CLAIMS.find((claim) => claim.cell === cell)!;
  const most = (guard as { most: number }).most;
  const measured = (time: number): string[] =>
    beyondGuards(resultsOf({ [cell]: { promises: [1], "wasm-proactor": [time] } })).map(({ claim }) => claim.cell);
  expect(measured(most)).toEqual([]);
  expect(measured(most * 1.01)).toEqual([cell]);
});
