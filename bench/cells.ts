// Cells: all that is measured.

import type { CellSource } from "./compare.ts";
import { fairnessCells } from "./fairness.ts";
import { faultTaxCells } from "./fault-tax.ts";
import { httpCells } from "./http.ts";
import { latencyCells } from "./latency.ts";
import { memoryCells } from "./memory.ts";
import { readsCells } from "./reads.ts";
import { sizeCells } from "./size.ts";
import { startUpCells } from "./start-up.ts";
import { workloadCells } from "./workloads.ts";

/** What a sample takes at least, in milliseconds. */
const SAMPLE_MS = { full: 60, quick: 15 };

export function allCells(quick: boolean): CellSource[] {
  const sampleMs = quick ? SAMPLE_MS.quick : SAMPLE_MS.full;
  return [
    ...workloadCells(quick, sampleMs),
    ...fairnessCells(),
    ...faultTaxCells(sampleMs),
    ...latencyCells(quick),
    ...memoryCells(quick),
    ...readsCells(),
    ...startUpCells(quick),
    ...sizeCells(),
    ...httpCells(quick),
  ];
}
