// Size: bytes that a user carries, and what each feature adds to a guest. No machine changes them: one round.

import { measureSizes } from "../scripts/size.ts";
import type { Cell, CellSource } from "./compare.ts";
import { measureFeatures } from "./features.ts";
import { shippedCell } from "./shipped.ts";

interface Bytes {
  raw: number;
  gzip: number;
}

const METRICS: Cell["metrics"] = {
  raw: { unit: "bytes", better: "less" },
  gzip: { unit: "bytes, gzip", better: "less" },
};

export function sizeCells(): CellSource[] {
  return [
    {
      name: "size/package",
      open: async () => cellOf((await measureSizes()).map(({ what, raw, gzip }) => [what.trim(), { raw, gzip }])),
    },
    { name: "size/peers", open: shippedCell },
    {
      name: "size/features",
      open: async () => cellOf((await measureFeatures()).map(({ feature, raw, gzip }) => [feature, { raw, gzip }])),
    },
  ];
}

function cellOf(sizes: [what: string, bytes: Bytes][]): Cell {
  const variants = sizes.map(([name, bytes]) => ({ name, measure: async () => ({ ...bytes }) }));
  return { metrics: METRICS, variants, roundsMax: 1 };
}
