// Cells: all that is measured.

import type { CellSource } from "./compare.ts";
import { composeCells } from "./compose.ts";
import { fairnessCells } from "./fairness.ts";
import { faultTaxCells } from "./fault-tax.ts";
import { httpCells } from "./http.ts";
import { latencyCells } from "./latency.ts";
import { readsCells } from "./reads.ts";
import { sizeCells } from "./size.ts";
import { startUpCells } from "./start-up.ts";
import { workloadCells } from "./workloads.ts";

/** What a sample takes at least, in milliseconds, and how many operations are done in it. */
const FULL = { sampleMs: 100, operations: 200_000 };
const QUICK = { sampleMs: 15, operations: 50_000 };

export function allCells(quick: boolean): CellSource[] {
  const { sampleMs, operations } = quick ? QUICK : FULL;
  return [
    ...workloadCells(quick, sampleMs),
    ...composeCells(operations),
    ...fairnessCells(),
    ...faultTaxCells(sampleMs),
    ...latencyCells(quick),
    ...readsCells(),
    ...startUpCells(quick),
    ...sizeCells(),
    ...httpCells(quick),
  ];
}
