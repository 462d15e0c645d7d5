// Workloads: what the in-process cells do, at which sizes and where, and which peers do it. A cell is named
// `workload/place/size`.

import { Unavailable } from "./compare.ts";
import type { Cell, CellSource, Metric, Variant } from "./compare.ts";
import { NodeProcess } from "./node.ts";
import type { Workload } from "./peer.ts";
import { countMaxOf, limitOf } from "./peers/limits.ts";
import { isAtHand, prepare } from "./peers/prepare.ts";
import { WorkerdProcess } from "./workerd.ts";

export interface Row {
  workload: Workload;
  /** What `size` is. */
  size: string;
  sizes: Sizes;
  /** Those of a quick run. */
  quick: Sizes;
  /** What time is given for; "operation" if not given. */
  unit?: string;
  /** Folders of peers/; the first is the baseline. */
  peers: string[];
  /** Operations that make a whole; a sample takes a multiple of them. The size itself if not given. */
  whole?(size: number, peer: string): number;
  /** Whether each operation carries `size` bytes: then bytes per second are given too. */
  carriesSize?: boolean;
  /** No more rounds than these, where a sample takes long. */
  roundsMax?(size: number): number;
  /** Why it makes no sense in a place. */
  notIn?: Partial<Record<Place, string>>;
  /** Why a peer cannot do it at this size there. */
  cannot?(peer: string, place: Place, size: number): string | undefined;
}

export type Place = "node" | "workerd";

type Sizes = number[] | Partial<Record<Place, number[]>>;

/** Milliseconds of work before anything counts, and at most. */
const WARM_UP_MS = 100;
const WARM_UP_MS_MAX = 1000;
/** Samples in a row that were no faster than the best before: compilers have finished. */
const SETTLED = 3;

export const PLACES: Place[] = ["node", "workerd"];

const COPIES = [0, 64, 1024, 65_536, 1_048_576, 10_485_760];

/** What is the same in both directions of a payload. */
const COPY = {
  sizes: COPIES,
  quick: { node: [0, 1024, 1_048_576], workerd: [1024] },
  whole: () => 1,
  carriesSize: true,
  peers: ["promises", "wasm-proactor", "floor"],
};

/** All ways to wait for an operation. */
export const WAYS = [
  "promises",
  "wasm-proactor",
  "callback-table",
  "map-of-closures",
  "jspi",
  "asyncify",
  "jco",
  "jco-callback",
  "wasm-bindgen",
  "extism",
];

/** Those that can have thousands of reads in flight. */
export const HOLDERS = WAYS.filter((peer) => !["jco", "jco-callback", "extism"].includes(peer));

const fewWithMany: Row["roundsMax"] = (size) => (size >= 1_000_000 ? 3 : 7);

/** Ours has one for all, armed for the earliest. */
const tooManyTimers: Row["cannot"] = (peer, place, size) =>
  peer !== "wasm-proactor" && place === "workerd" && size > 10_000
    ? "workerd refuses more than 10,000 timers of a request"
    : undefined;

export const WORKLOADS: Row[] = [
  {
    workload: "noop",
    size: "operations in a batch: all started at once, and the next batch when all have completed",
    sizes: [1, 4, 16, 64, 256, 1024, 4096],
    quick: [16, 256],
    peers: [...WAYS, "floor"],
  },
  {
    workload: "chain",
    size: "operations, each started by the completion of the one before, which hands on a number",
    sizes: [1_000_000],
    quick: { node: [100_000] },
    peers: WAYS.filter((peer) => peer !== "extism"),
  },
  {
    workload: "pummel",
    size: "operations in flight: the completion of each starts another",
    sizes: [1, 64, 1024, 4096, 65_536],
    quick: { node: [64, 4096], workerd: [1024] },
    // Or its stacks, which are made once, would be what is measured.
    whole: (size, peer) => (peer === "jspi-loops" ? 16 * size : size),
    peers: [...WAYS, "jspi-loops"],
  },
  {
    workload: "million-in-flight",
    size: "reads in flight at once, which a store holds until all are there",
    sizes: [1000, 10_000, 100_000, 1_000_000],
    quick: { node: [1000, 10_000], workerd: [1000] },
    peers: HOLDERS,
    roundsMax: fewWithMany,
  },
  {
    workload: "million-timers",
    size: "timers at once, their times spread over a millisecond for each thousand",
    sizes: { node: [1000, 100_000, 1_000_000], workerd: [1000, 1_000_000] },
    quick: { node: [1000] },
    roundsMax: fewWithMany,
    cannot: tooManyTimers,
    peers: ["promises", "abort-signal", "wasm-proactor"],
  },
  {
    workload: "cancel-storm",
    size: "timers of a minute at once, all of which are cancelled",
    sizes: [1000, 100_000],
    quick: { node: [1000] },
    cannot: tooManyTimers,
    peers: ["promises", "wasm-proactor"],
  },
  {
    workload: "timeout-each",
    size: "reads in flight, each with a timeout; every hundredth is never answered",
    sizes: [64, 1000],
    quick: [1000],
    peers: ["promises", "abort-signal", "wasm-proactor", "floor"],
  },
  {
    workload: "gather",
    size: "members",
    sizes: [2, 8, 64, 1000],
    quick: [64],
    unit: "member",
    peers: ["promises", "wasm-proactor"],
  },
  {
    workload: "race",
    size: "members: here the losers are cancelled and waited for, promises forget them",
    sizes: [2, 8, 64, 1000],
    quick: { node: [64] },
    unit: "member",
    peers: ["promises", "wasm-proactor"],
  },
  {
    workload: "limit",
    size: "members, of which 8 are under way at the same time",
    sizes: [64, 1000],
    quick: [64],
    unit: "member",
    peers: ["promises", "wasm-proactor"],
  },
  {
    workload: "retry",
    size: "one operation, which succeeds at once",
    sizes: [1],
    quick: { node: [1] },
    peers: ["promises", "wasm-proactor"],
  },
  {
    workload: "fiber",
    size: "fibers: straight-line code that waits for one operation after the other",
    sizes: [1],
    quick: [1],
    unit: "await",
    peers: ["promises", "wasm-proactor", "wasm-proactor-asyncify", "jspi", "asyncify", "jco", "wasm-bindgen"],
  },
  {
    workload: "contexts",
    size: "requests in one instance, each with a hundred operations, one after the other",
    sizes: [1, 100, 1000, 10_000],
    quick: { node: [1, 1000] },
    peers: ["promises", "wasm-proactor"],
    whole: (size) => size * 100,
  },
  { workload: "copy-in", size: "bytes of a value that is read", ...COPY },
  { workload: "copy-out", size: "bytes of a value that is written", ...COPY },
  {
    workload: "border-call",
    size: "calls into the module, each with one out of it",
    sizes: [1],
    quick: [1],
    unit: "call",
    peers: ["floor"],
  },
  { workload: "reaction", size: "reactions of a promise", sizes: [1], quick: [1], unit: "reaction", peers: ["floor"] },
  {
    workload: "instance",
    size: "instances: an empty one with a page of memory, and a proactor with its guest's",
    sizes: [1],
    quick: [1],
    unit: "instance",
    peers: ["floor", "wasm-proactor"],
  },
];

const BYTES: Metric = { unit: "MB/s", better: "more" };

/** A peer in a process of its own. */
export interface PeerProcess {
  /** Milliseconds for so many operations of this size. */
  measure(workload: Workload, count: number, size: number): Promise<number>;
  stop(): Promise<void>;
}

/** `targetMs` is what a sample shall take at least, unless a whole takes longer. */
export function workloadCells(quick: boolean, targetMs: number): CellSource[] {
  return WORKLOADS.flatMap((row) =>
    PLACES.filter((place) => !row.notIn?.[place]).flatMap((place) =>
      sizesIn(place, quick ? row.quick : row.sizes).map((size) => ({
        name: `${row.workload}/${place}/${size}`,
        open: () => cellOf(quick ? { ...row, peers: row.peers.filter(isAtHand) } : row, place, size, targetMs),
      })),
    ),
  );
}

/** The cells of the table that are not measured, and why. */
export function leftOut(): Record<string, string> {
  const entries = WORKLOADS.flatMap(({ workload, notIn = {} }) =>
    Object.entries(notIn).map(([place, reason]) => [`${workload}/${place}`, reason]),
  );
  return Object.fromEntries(entries);
}

function sizesIn(place: Place, sizes: Sizes): number[] {
  return Array.isArray(sizes) ? sizes : (sizes[place] ?? []);
}

const carriesBytes = (row: Pick<Row, "carriesSize">, size: number): boolean => row.carriesSize === true && size > 0;

function cellOf(row: Row, place: Place, size: number, targetMs: number): Cell {
  const time: Metric = { unit: `ns/${row.unit ?? "operation"}`, better: "less" };
  const variants = row.peers.map((peer) => variantOf(peer, row, place, size, targetMs));
  const metrics: Cell["metrics"] = carriesBytes(row, size) ? { time, bytes: BYTES } : { time };
  return { metrics, variants, ...(row.roundsMax && { roundsMax: row.roundsMax(size) }) };
}

/** What a peer does, under its name or another one. */
export function variantOf(
  folder: string,
  row: Pick<Row, "workload" | "whole" | "carriesSize" | "cannot">,
  place: Place,
  size: number,
  targetMs: number,
  name = folder,
): Variant {
  const whole = row.whole?.(size, folder) ?? size;
  let peer: PeerProcess | undefined;
  let count = whole;
  const most = Math.max(1, Math.floor(countMaxOf(folder, place) / whole)) * whole;
  const measureMs = async (): Promise<number> => {
    let ms = 0;
    for (let left = count; left > 0; left -= most) ms += await peer!.measure(row.workload, Math.min(left, most), size);
    return ms;
  };
  return {
    name,
    async start() {
      const reason = row.cannot?.(folder, place, size) ?? limitOf(folder, row.workload, place, size);
      if (reason) throw new Unavailable(reason);
      await prepare(folder);
      peer = await (place === "node" ? NodeProcess.start(folder) : WorkerdProcess.start(folder));
    },
    /** Takes as many operations as make a sample long enough, until they have stopped becoming faster. */
    async warmUp() {
      let best = Infinity;
      let since = 0;
      for (let spentMs = 0, ms = 0; spentMs < WARM_UP_MS || ms < targetMs || since < SETTLED; since++) {
        ms = await measureMs();
        spentMs += ms;
        if (spentMs > WARM_UP_MS_MAX) return;
        if (ms / count < best * 0.95) [best, since] = [ms / count, 0];
        if (ms < targetMs) count = Math.ceil((count * Math.min((targetMs * 1.1) / ms, 10)) / whole) * whole;
      }
    },
    async measure(): Promise<Record<string, number>> {
      const ms = await measureMs();
      const time = { time: (ms * 1e6) / count };
      return carriesBytes(row, size) ? { ...time, bytes: (size * count) / ms / 1000 } : time;
    },
    stop: async () => peer?.stop(),
  };
}
