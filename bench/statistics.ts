// Statistics: what many samples come to.

/** A median, and between what values the middle half of the rounds lies. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

export function spreadOf(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
}

/** Performance as a multiple of the baseline's, above 1 is better: round by round, and then the spread of these. */
export function ratioOf(values: number[], baseline: number[], better: "more" | "less"): Spread {
  return spreadOf(
    values.map((value, round) => (better === "more" ? value / baseline[round]! : baseline[round]! / value)),
  );
}

/** Of numbers in ascending order. */
export function quantile(sorted: number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)]!;
  return below + (sorted[Math.ceil(place)]! - below) * (place - Math.floor(place));
}
