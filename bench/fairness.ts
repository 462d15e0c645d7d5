// Fairness: a thousand light requests beside one that takes all it can get. How long the light ones wait is counted in
// turns of the hog, pieces that it has computed or reads that it has got: these do not depend on the machine.

import type { Cell, CellSource, Metric } from "./compare.ts";
import { runProgram } from "./program.ts";

const HOGS = ["slices", "flood"];
/** "pooled" would give the hog an instance of its own, and the same pump. */
const WHO = ["promises", "shared"];

const turns = (what: string): Metric => ({ unit: `turns, ${what}`, better: "less" });
const ms = (what: string): Metric => ({ unit: `ms, ${what}`, better: "less" });
const METRICS: Record<string, Metric> = {
  turns50: turns("p50"),
  turns99: turns("p99"),
  turnsMax: turns("max"),
  ms50: ms("p50"),
  ms99: ms("p99"),
  msMax: ms("max"),
};

export function fairnessCells(): CellSource[] {
  return HOGS.map((hog) => ({ name: `fairness/node/${hog}`, open: () => open(hog) }));
}

function open(hog: string): Cell {
  const variants = WHO.map((name) => ({
    name,
    // Each sample is a process of its own, and counts do not get better with time.
    warmUp: async () => {},
    measure: () => runProgram("fairness.ts", name, hog),
  }));
  return { metrics: METRICS, roundsMax: 5, variants };
}
