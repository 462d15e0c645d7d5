// Size: bytes that a user carries, and what each feature adds to a guest. No machine changes them: one round.

import { measureSizes } from "../scripts/size.ts";
import type { Cell, CellSource } from "./compare.ts";
import { measureFeatures } from "./features.ts";
import type { FeatureSize } from "./features.ts";
import { shippedCell } from "./shipped.ts";

const METRICS: Cell["metrics"] = {
  raw: { unit: "bytes", better: "less" },
  gzip: { unit: "bytes, gzip", better: "less" },
};

export function sizeCells(): CellSource[] {
  return [
    { name: "size/package", open: async () => cellOf(await measureSizes()) },
    { name: "size/peers", open: shippedCell },
    { name: "size/features", open: async () => cellOf(await measureFeatures()) },
  ];
}

function cellOf(sizes: FeatureSize[]): Cell {
  const variants = sizes.map(({ what, raw, gzip }) => ({ name: what.trim(), measure: async () => ({ raw, gzip }) }));
  return { metrics: METRICS, variants, roundsMax: 1 };
}
