// Compare: several ways to do one thing, measured in turns, so that whatever else the machine does meets all of them.
//
// A round measures each way once, and every other round in the opposite order. Numbers of different rounds are never
// divided by each other: the ratio is the median of the rounds' own ratios.

/** What is measured, and whether more of it is better. */
export interface Metric {
  unit: string;
  better: "more" | "less";
}

export interface Variant {
  name: string;
  /** One measurement of each metric that this machine can measure. */
  measure(): Promise<Record<string, number>>;
}

export interface Cell {
  name: string;
  metrics: Record<string, Metric>;
  /** The first is the baseline. */
  variants: Variant[];
  /** Ends what was started for it. */
  stop?(): Promise<void>;
}

/** A median, and between what values the middle half of the rounds lies. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

export interface Row {
  cell: string;
  variant: string;
  metric: string;
  unit: string;
  value: Spread;
  /** Performance as a multiple of the baseline's: above 1 is better. Not for the baseline itself. */
  ratio?: Spread;
}

export async function compare(
  { name, metrics, variants }: Cell,
  rounds: number,
  progress: (round: number) => void,
): Promise<Row[]> {
  const samples = new Map<Variant, Record<string, number>[]>(variants.map((variant) => [variant, []]));
  // The first round warms up what has a just-in-time compiler, and does not count.
  for (let round = 0; round <= rounds; round++) {
    progress(round);
    for (const variant of round % 2 ? variants : variants.toReversed()) {
      const sample = await variant.measure();
      if (round > 0) samples.get(variant)!.push(sample);
    }
  }
  const baseline = samples.get(variants[0]!)!;
  return variants.flatMap((variant) =>
    Object.entries(metrics).flatMap(([metric, { unit, better }]) => {
      const values = samples.get(variant)!.map((sample) => sample[metric]);
      if (values.some((value) => value === undefined)) return [];
      const row: Row = { cell: name, variant: variant.name, metric, unit, value: spreadOf(values as number[]) };
      if (variant === variants[0]) return [row];
      const ratios = (values as number[]).map((value, round) => {
        const base = baseline[round]![metric]!;
        return better === "more" ? value / base : base / value;
      });
      return [{ ...row, ratio: spreadOf(ratios) }];
    }),
  );
}

function spreadOf(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
}

function quantile(sorted: number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)]!;
  return below + (sorted[Math.ceil(place)]! - below) * (place - Math.floor(place));
}
