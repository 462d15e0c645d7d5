// Memory: bytes that an operation takes while it is in flight, in the guest and on the host. The operation is a read, and
// the baseline is the store alone: who reads from it pays for its promise, too.

import type { Cell, CellSource, Metric } from "./compare.ts";
import { runProgram } from "./program.ts";

const SIZES = { full: [1000, 100_000, 1_000_000], quick: [100_000] };
const WAYS = ["store", "promises", "wasm-proactor"];

const METRICS: Record<string, Metric> = {
  guest: { unit: "bytes in the guest", better: "less" },
  host: { unit: "bytes on the host", better: "less" },
};

/** In workerd nobody can look at the heap from inside. */
export function memoryCells(quick: boolean): CellSource[] {
  const sizes = quick ? SIZES.quick : SIZES.full;
  return sizes.map((size) => ({ name: `memory/node/${size}`, open: () => cellOf(size) }));
}

function cellOf(size: number): Cell {
  const variants = WAYS.map((name) => ({
    name,
    // Each sample is a process of its own, which warms up itself.
    warmUp: async () => {},
    measure: () => runProgram("memory.ts", name, size),
  }));
  // Engines give memory in steps: what is measured hardly differs from round to round.
  return { metrics: METRICS, variants, roundsMax: 3 };
}
