// Fault tax: what requests cost while one handler of a hundred fails, against none, in the same process. In plain
// JavaScript it throws; a guest's aborts, which costs its instance in "pooled", and in "shared" every hundredth time.

import type { CellSource, Metric } from "./compare.ts";
import type { Workload } from "./peer.ts";
import { PLACES, variantOf } from "./workloads.ts";

const WAYS: [name: string, peer: string, workload: Workload][] = [
  ["promises", "promises", "fault-tax"],
  ["pooled", "wasm-proactor", "fault-tax"],
  ["shared", "wasm-proactor", "fault-tax-shared"],
];

/** Requests that a sample has at least: so many until everything that they run through is compiled, too. */
const REQUESTS = 2000;

const TIME: Metric = { unit: "ns/request", better: "less" };

export function faultTaxCells(targetMs: number): CellSource[] {
  return PLACES.flatMap((place) =>
    WAYS.map(([name, peer, workload]) => ({
      name: `fault-tax/${place}/${name}`,
      open() {
        const row = { workload, whole: () => REQUESTS };
        const variants = [
          variantOf(peer, row, place, 0, targetMs, "no faults"),
          variantOf(peer, row, place, 1, targetMs, "1 % faults"),
        ];
        return { metrics: { time: TIME }, variants };
      },
    })),
  );
}
