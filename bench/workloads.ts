// Workloads: what the in-process cells do, at which sizes and where, and which peers do it. A cell is named
// `workload/place/size`.

import type { Cell, CellSource, Metric, Variant } from "./compare.ts";
import { NodeProcess } from "./node.ts";
import type { Workload } from "./peer.ts";
import { prepare } from "./peers/prepare.ts";
import { WorkerdProcess } from "./workerd.ts";

export interface Row {
  workload: Workload;
  /** What `size` is. */
  size: string;
  sizes: number[];
  /** Those of a quick run; all of them if not given. */
  quickSizes?: number[];
  /** What time is given for; "operation" if not given. */
  unit?: string;
  /** Folders of peers/; the first is the baseline. */
  peers: string[];
  /** Operations that make a whole; a sample takes a multiple of them. The size itself if not given. */
  whole?(size: number): number;
  /** Whether each operation carries `size` bytes: then bytes per second are given too. */
  carriesSize?: boolean;
  /** Why it is not measured in a place. */
  notIn?: Partial<Record<Place, string>>;
}

export type Place = "node" | "workerd";

export const PLACES: Place[] = ["node", "workerd"];

const COPIES = [0, 64, 1024, 65_536, 1_048_576, 10_485_760];

export const WORKLOADS: Row[] = [
  {
    workload: "noop",
    size: "operations in a batch: all started at once, and the next batch when all have completed",
    sizes: [1, 4, 16, 64, 256, 1024, 4096],
    quickSizes: [1, 16, 256],
    peers: ["promises", "wasm-proactor", "floor"],
  },
  {
    workload: "copy-in",
    size: "bytes of a value that is read",
    sizes: COPIES,
    quickSizes: [0, 1024, 1_048_576],
    whole: () => 1,
    carriesSize: true,
    peers: ["promises", "wasm-proactor", "floor"],
  },
  {
    workload: "copy-out",
    size: "bytes of a value that is written",
    sizes: COPIES,
    quickSizes: [0, 1024, 1_048_576],
    whole: () => 1,
    carriesSize: true,
    peers: ["promises", "wasm-proactor", "floor"],
  },
  {
    workload: "border-call",
    size: "calls into the module, each with one out of it",
    sizes: [1],
    unit: "call",
    peers: ["floor"],
  },
  { workload: "reaction", size: "reactions of a promise", sizes: [1], unit: "reaction", peers: ["floor"] },
  {
    workload: "instance",
    size: "instances: an empty one with a page of memory, and a proactor with its guest's",
    sizes: [1],
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
      ((quick && row.quickSizes) || row.sizes).map((size) => ({
        name: `${row.workload}/${place}/${size}`,
        open: () => cellOf(row, place, size, targetMs),
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

const carriesBytes = (row: Pick<Row, "carriesSize">, size: number): boolean => row.carriesSize === true && size > 0;

function cellOf(row: Row, place: Place, size: number, targetMs: number): Cell {
  const time: Metric = { unit: `ns/${row.unit ?? "operation"}`, better: "less" };
  const metrics: Cell["metrics"] = carriesBytes(row, size) ? { time, bytes: BYTES } : { time };
  return { metrics, variants: row.peers.map((peer) => variantOf(peer, row, place, size, targetMs)) };
}

/** What a peer does, under its name or another one. */
export function variantOf(
  folder: string,
  row: Pick<Row, "workload" | "whole" | "carriesSize">,
  place: Place,
  size: number,
  targetMs: number,
  name = folder,
): Variant {
  const whole = row.whole?.(size) ?? size;
  let peer: PeerProcess | undefined;
  let count = whole;
  const measureMs = (): Promise<number> => peer!.measure(row.workload, count, size);
  return {
    name,
    async start() {
      await prepare(folder);
      peer = await (place === "node" ? NodeProcess.start(folder) : WorkerdProcess.start(folder));
    },
    /** Takes more operations until a sample takes long enough twice in a row: compilers have finished by then. */
    async warmUp() {
      for (let enough = 0; enough < 2;) {
        const ms = await measureMs();
        if (ms >= targetMs) enough++;
        else {
          enough = 0;
          const wanted = (count * targetMs) / Math.max(ms, targetMs / 10);
          count = Math.ceil((wanted * 1.1) / whole) * whole;
        }
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
