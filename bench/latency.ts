// Latency: what each way adds to an operation of the host that takes a millisecond. Measured is the time from the end of
// one to the start of the next, when one follows the other: so the timer's own spread, which is larger, is not in it.

import type { Cell, CellSource, Metric } from "./compare.ts";
import { isAtHand, prepare } from "./peers/prepare.ts";
import { runProgram } from "./program.ts";
import { WAYS } from "./workloads.ts";

const METRICS: Record<string, Metric> = {
  p50: { unit: "µs, p50", better: "less" },
  p99: { unit: "µs, p99", better: "less" },
};

/** Clocks stand still in workerd while code runs: what is added there, the HTTP cells tell. */
export function latencyCells(quick: boolean): CellSource[] {
  return [{ name: "latency/node", open: () => (quick ? open(WAYS.filter(isAtHand), 100) : open(WAYS, 500)) }];
}

function open(peers: string[], count: number): Cell {
  const variants = peers.map((name) => ({
    name,
    start: () => prepare(name),
    // Each sample is a process of its own, which warms up itself.
    warmUp: async () => {},
    measure: () => runProgram("latency.ts", name, count),
  }));
  return { metrics: METRICS, roundsMax: 5, variants };
}
