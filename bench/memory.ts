// Memory: bytes that an operation takes while it is in flight, in the guest and on the host. The operation is a read, and
// the baseline is the store alone: who reads from it pays for its promise, too. The floor is that and one reaction to it,
// without which nobody would learn which read it was that has come.

import { Unavailable } from "./compare.ts";
import type { Cell, CellSource, Metric } from "./compare.ts";
import { limitOf } from "./peers/limits.ts";
import { isAtHand, prepare } from "./peers/prepare.ts";
import { runProgram } from "./program.ts";
import { HOLDERS } from "./workloads.ts";

const SIZES = { full: [1000, 100_000, 1_000_000], quick: [10_000] };
const WAYS = ["store", "floor", ...HOLDERS];

const METRICS: Record<string, Metric> = {
  guest: { unit: "bytes in the guest", better: "less" },
  host: { unit: "bytes on the host", better: "less" },
  // Suspended stacks are in neither.
  process: { unit: "bytes of the process", better: "less" },
};

/** In workerd nobody can look at the heap from inside. */
export function memoryCells(quick: boolean): CellSource[] {
  const sizes = quick ? SIZES.quick : SIZES.full;
  return sizes.map((size) => ({
    name: `memory/node/${size}`,
    open: () => cellOf(quick ? WAYS.filter(isAtHand) : WAYS, size),
  }));
}

function cellOf(ways: string[], size: number): Cell {
  const variants = ways.map((name) => ({
    name,
    async start() {
      const reason = limitOf(name, "million-in-flight", "node", size);
      if (reason) throw new Unavailable(reason);
      await prepare(name);
    },
    // Each sample is a process of its own, which warms up itself.
    warmUp: async () => {},
    measure: () => runProgram("memory.ts", name, size),
  }));
  // Engines give memory in steps: what is measured hardly differs from round to round.
  return { metrics: METRICS, variants, roundsMax: 3 };
}
