// Goals: what this package wants to be, beside what one would otherwise use; and guards, which are so far from what is
// usual that whoever is beyond them is broken, and not disturbed by what else the machine does.

import type { Results } from "./results.ts";
import { spreadOf } from "./statistics.ts";
import type { Spread } from "./statistics.ts";

type Limit = { least: number } | { most: number };

/** How two values are compared: `other / value` is how many times faster, where the values are times. */
type Comparison = "value / other" | "other / value" | "value − other" | "value";

export interface Claim {
  /** What is claimed, as the table of goals names it. */
  says: string;
  cell: string;
  variant: string;
  metric: string;
  comparison: Comparison;
  /** The other: a variant of the same cell, or the same variant in another. */
  against?: { variant: string } | { cell: string };
  /** The variant that does only what nobody can leave out. */
  floor?: string;
  /** Of what it comes to, if that is no plain ratio. */
  unit?: string;
  goal?: Limit;
  /** What README.md says of it, where it is one of the five numbers there. */
  inReadme?: string;
  /** For CI, and from a quick run. */
  guard?: Limit;
}

const least = (least: number): Limit => ({ least });
const most = (most: number): Limit => ({ most });

type Options = Pick<Claim, "floor" | "goal" | "guard" | "inReadme">;

// HTTP.

const ROUTES: [route: string, says: string][] = [
  ["hello", "HTTP hello"],
  ["kv", "HTTP, one KV read"],
  ["kv-10", "HTTP, ten KV reads"],
  ["fetch-5", "HTTP, five fetches"],
  ["echo", "HTTP, echo of 1 MB"],
  ["forward", "HTTP, forward of 10 MB"],
];

function requests(route: string, isolation: string, options: Options): Claim {
  return {
    says: `${new Map(ROUTES).get(route)}, ${isolation}: requests per second beside a plain Worker`,
    cell: `http/workerd/${route}/32`,
    variant: isolation,
    metric: "requests",
    comparison: "value / other",
    against: { variant: "plain" },
    ...options,
  };
}

/** Of each request. It hardly depends on what else the machine does, so the guards are of this. */
function processorTime(route: string, isolation: string, options: Options): Claim {
  const says = `${new Map(ROUTES).get(route)}, ${isolation}: processor time beside a plain Worker`;
  return { ...requests(route, isolation, options), says, metric: "cpu" };
}

// Operations.

const nameOf = (cell: string): string =>
  cell
    .split("/")
    .with(1, cell.includes("/node/") ? "in Node," : "in workerd,")
    .join(" ");

/** The time beside another's. */
function time(cell: string, other: string, options: Options): Claim {
  const says = `${nameOf(cell)}: time beside ${other}`;
  return {
    says,
    cell,
    variant: OURS,
    metric: "time",
    comparison: "value / other",
    against: { variant: other },
    ...options,
  };
}

/** How many times faster than another. */
function faster(cell: string, other: string, options: Options): Claim {
  const says = `${nameOf(cell)}: times as fast as ${other}`;
  return { ...time(cell, other, options), says, comparison: "other / value" };
}

/** How much an operation's time grows from one size to another. */
function growth(workload: string, from: number, to: number, options: Options): Claim {
  const says = `${workload} in Node: time of each with ${to.toLocaleString("en")}, beside that with ${from.toLocaleString("en")}`;
  const against = { cell: `${workload}/node/${from}` };
  const cell = `${workload}/node/${to}`;
  return { says, cell, variant: OURS, metric: "time", comparison: "value / other", against, ...options };
}

/** What it takes more than another. */
function added(says: string, cell: string, metric: string, other: string, unit: string, options: Options): Claim {
  return {
    says,
    cell,
    variant: OURS,
    metric,
    comparison: "value − other",
    against: { variant: other },
    unit,
    ...options,
  };
}

function bytes(says: string, variant: string, options: Options): Claim {
  return { says, cell: "size/package", variant, metric: "gzip", comparison: "value", unit: "bytes", ...options };
}

export const OURS = "wasm-proactor";

export const CLAIMS: Claim[] = [
  requests("hello", "shared", { goal: least(1) }),
  requests("hello", "pooled", {
    goal: least(0.98),
    inReadme: "Requests per second of a Worker that answers at once, beside one of plain JavaScript",
  }),
  requests("hello", "request", { goal: least(0.8), floor: "floor-request" }),
  requests("kv", "pooled", {
    goal: least(0.99),
    floor: "floor",
    inReadme: "Of one that reads from a KV that answers at once",
  }),
  requests("kv-10", "pooled", { goal: least(0.99), floor: "floor" }),
  requests("fetch-5", "pooled", { goal: least(0.98), floor: "floor" }),
  requests("echo", "pooled", { goal: least(0.95), floor: "floor" }),
  requests("forward", "pooled", { goal: least(1), floor: "floor" }),

  processorTime("hello", "shared", { guard: most(2) }),
  processorTime("hello", "pooled", { guard: most(2) }),
  processorTime("hello", "request", { guard: most(8) }),
  processorTime("kv", "pooled", { guard: most(2.5) }),
  processorTime("echo", "pooled", { guard: most(6) }),

  time("noop/node/16", "promises", { goal: most(0.5), guard: most(4) }),
  time("noop/node/256", "promises", {
    goal: most(0.5),
    guard: most(4),
    inReadme: "Time of an operation that does nothing, 256 at once in Node, beside an awaited promise",
  }),
  time("noop/workerd/16", "promises", { goal: most(0.9), guard: most(5) }),
  time("noop/workerd/256", "promises", { goal: most(0.9), guard: most(5) }),

  faster("pummel/node/64", "jspi", { goal: least(20), guard: least(10) }),
  faster("pummel/node/1024", "jspi", { goal: least(20) }),
  faster("pummel/node/4096", "jspi", {
    goal: least(20),
    guard: least(10),
    inReadme: "With 4,096 operations in flight in Node, times as fast as stacks suspended by JSPI",
  }),
  faster("pummel/workerd/64", "jspi", { goal: least(20), floor: "promises" }),
  faster("pummel/workerd/1024", "jspi", { goal: least(20) }),
  faster("pummel/workerd/4096", "jspi", { goal: least(20) }),

  growth("million-in-flight", 1000, 1_000_000, { goal: most(1.5), floor: "promises" }),
  growth("million-in-flight", 1000, 10_000, { guard: most(6) }),

  added("A million reads in flight: bytes of each in the guest", "memory/node/1000000", "guest", "store", "bytes", {
    goal: most(64),
  }),
  added("The same on the host, beside the store's promise", "memory/node/1000000", "host", "store", "bytes", {
    goal: most(128),
    floor: "floor",
  }),

  faster("timeout-each/node/1000", "abort-signal", { goal: least(5), guard: least(0.5) }),
  faster("timeout-each/node/1000", "promises", { goal: least(5), floor: "floor", guard: least(0.2) }),

  added("Added to an operation of a millisecond, at the median", "latency/node", "p50", "promises", "µs", {
    goal: most(50),
  }),
  added("Start-up of a Worker to its first response, beside a plain one", "start-up/workerd", "total", "plain", "ms", {
    goal: most(1),
    floor: "floor-host",
  }),
  added("The same in processor time, which repeats better", "start-up/workerd", "cpu", "plain", "ms", {
    goal: most(1),
    floor: "floor-host",
  }),

  bytes("A guest with serve, KV and fetch, gzip", "guest: serve + KV + fetch", {
    goal: most(4096),
    inReadme: "A guest with `serve`, KV and fetch, gzip",
  }),
  bytes("The host for Workers, gzip", "host: wasm-proactor/cloudflare", { goal: most(8192) }),
];

/** The cells that must be measured for it. */
export function cellsOf({ cell, against }: Claim): string[] {
  return against && "cell" in against ? [cell, against.cell] : [cell];
}

/** What a claim comes to, from the samples of each round; undefined if one of them was not measured. */
export function evaluate({ cell, variant, metric, comparison, against }: Claim, results: Results): Spread | undefined {
  const values = results.cells[cell]?.variants[variant]?.[metric];
  if (!values) return undefined;
  if (!against) return spreadOf(values);
  const within = "variant" in against;
  const others = within
    ? results.cells[cell]!.variants[against.variant]?.[metric]
    : results.cells[against.cell]?.variants[variant]?.[metric];
  if (!others) return undefined;
  const compared = COMPARED[comparison];
  if (within) return spreadOf(values.map((value, round) => compared(value, others[round]!)));
  // Rounds of two cells have nothing to do with each other: the worst that both spreads allow, and the best.
  const [one, other] = [spreadOf(values), spreadOf(others)];
  const ends = [compared(one.low, other.high), compared(one.high, other.low)];
  return { median: compared(one.median, other.median), low: Math.min(...ends), high: Math.max(...ends) };
}

const COMPARED: Record<Comparison, (value: number, other: number) => number> = {
  "value / other": (value, other) => value / other,
  "other / value": (value, other) => other / value,
  "value − other": (value, other) => value - other,
  value: (value) => value,
};

export function isWithin(limit: Limit, value: number): boolean {
  return "least" in limit ? value >= limit.least : value <= limit.most;
}

/** The limit as the tables show it. */
export function limitText(limit: Limit, { unit }: Claim): string {
  const [sign, value] = "least" in limit ? ["≥", limit.least] : ["≤", limit.most];
  return unit ? `${sign} ${value.toLocaleString("en")} ${unit}` : `${sign} ${value.toFixed(2)}`;
}

/** What the guards of a cell compare; nothing if it has none. */
export function guardedVariants(cell: string): Set<string> {
  const guards = CLAIMS.filter((claim) => claim.guard && cellsOf(claim).includes(cell));
  return new Set(
    guards.flatMap(({ variant, against }) =>
      against && "variant" in against ? [variant, against.variant] : [variant],
    ),
  );
}

/** The claims whose guard is broken by what was measured. */
export function beyondGuards(results: Results): { claim: Claim; spread: Spread }[] {
  return CLAIMS.flatMap((claim) => {
    const spread = claim.guard && evaluate(claim, results);
    return spread && !isWithin(claim.guard!, spread.median) ? [{ claim, spread }] : [];
  });
}
