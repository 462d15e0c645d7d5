// Compare: several ways to do one thing, measured in turns, so that whatever else the machine does meets all of them.
//
// A round measures each way once, in an order drawn anew each time. All samples are kept: numbers of different rounds are
// never divided by each other, and whoever takes a ratio takes it round by round.

/** What is measured, and whether more of it is better. */
export interface Metric {
  unit: string;
  better: "more" | "less";
}

export interface Variant {
  name: string;
  /** Brings it up. May run beside that of the others. */
  start?(): Promise<void>;
  /** Before the first round that counts; one measurement if not given. */
  warmUp?(): Promise<void>;
  /** One measurement of each metric that this machine can measure. */
  measure(): Promise<Record<string, number>>;
  /** What was under way when, in its last measurement. */
  timeline?(): Span[];
  stop?(): Promise<void>;
}

/** Something that took its time: milliseconds from the beginning, and the row that it is drawn in, from 0. */
export interface Span {
  lane: number;
  start: number;
  end: number;
  label: string;
}

export interface Cell {
  metrics: Record<string, Metric>;
  /** The first is the baseline. */
  variants: Variant[];
  /** No more rounds than these, where a measurement takes long or is the same each time. */
  roundsMax?: number;
  /** Rounds after which all are started anew, where one process is faster than the next that does the same. */
  roundsPerStart?: number;
  /** Ends what was started for all of them. */
  stop?(): Promise<void>;
}

/** A cell that nothing was started for yet. Its name has slashes: `noop/node/16`. */
export interface CellSource {
  name: string;
  open(): Cell | Promise<Cell>;
}

/** What a cell's rounds have shown. */
export interface Samples {
  metrics: Record<string, Metric>;
  /** By variant and metric, one number for each round. The first variant is the baseline. */
  variants: Record<string, Record<string, number[]>>;
  /** Why a variant could not run, or not to the end. */
  notRun: Record<string, string>;
  /** By variant, of those that have one. */
  timelines?: Record<string, Span[]>;
}

/** Something that this machine does not have: a variant is left out, and nothing is wrong. */
export class Unavailable extends Error {}

export interface Plan {
  rounds: number;
  /** A number from 0 up to 1, to draw the order from. */
  random(): number;
  /** Called before each round; the warm-up is 0. */
  progress(round: number): void;
  /** Called for each variant that fails. */
  failed(variant: string, error: Error): void;
}

export async function compare(cell: Cell, plan: Plan): Promise<Samples> {
  const samples: Samples = { metrics: cell.metrics, variants: {}, notRun: {} };
  const running = new Set(cell.variants);
  const attempt = async (variant: Variant, work: () => Promise<void> | undefined): Promise<void> => {
    try {
      await work();
    } catch (error) {
      running.delete(variant);
      samples.notRun[variant.name] = (error as Error).message;
      plan.failed(variant.name, error as Error);
    }
  };
  const startAll = async (): Promise<void> => {
    await Promise.all([...running].map((variant) => attempt(variant, async () => variant.start?.())));
    for (const variant of running)
      await attempt(variant, async () => void (await (variant.warmUp?.() ?? variant.measure())));
  };
  try {
    plan.progress(0);
    await startAll();
    const taken = new Map(cell.variants.map((variant) => [variant, [] as Record<string, number>[]]));
    for (let round = 1; round <= Math.min(plan.rounds, cell.roundsMax ?? Infinity); round++) {
      plan.progress(round);
      if (round > 1 && (round - 1) % (cell.roundsPerStart ?? Infinity) === 0) {
        await Promise.all([...running].map((variant) => attempt(variant, async () => variant.stop?.())));
        await startAll();
      }
      for (const variant of shuffled([...running], plan.random))
        await attempt(variant, async () => void taken.get(variant)!.push(await variant.measure()));
    }
    for (const variant of running) {
      samples.variants[variant.name] = columns(taken.get(variant)!);
      if (variant.timeline) (samples.timelines ??= {})[variant.name] = variant.timeline();
    }
  } finally {
    await Promise.all(cell.variants.map((variant) => variant.stop?.()));
    await cell.stop?.();
  }
  return samples;
}

/** Numbers from 0 up to 1 that are the same again for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
  return items;
}

/** What this machine could not measure has no column. */
function columns(rows: Record<string, number>[]): Record<string, number[]> {
  const names = Object.keys(rows[0] ?? {}).filter((name) => rows.every((row) => Number.isFinite(row[name])));
  return Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name]!)]));
}
