// Limits: what a peer cannot do, or only at a length that nobody would wait for. Each was found by trying.

import type { Workload } from "../peer.ts";
import type { Place } from "../workloads.ts";

interface Limit {
  place?: Place;
  /** Every workload if not given. */
  workloads?: Workload[];
  /** Every size if not given. */
  above?: number;
  reason: string;
}

/** Their size is the number of operations in flight. */
const MANY: Workload[] = ["noop", "pummel", "million-in-flight"];

const STACKS: Limit = {
  place: "workerd",
  workloads: MANY,
  above: 10_000,
  reason: "workerd ends: the stacks need more mappings than Linux allows a process",
};

/** Operations of one request at most. */
const COUNT_MAX: Partial<Record<Place, Record<string, number>>> = {
  // A stack is given back only when its request is over, and those of more than that are not to be had.
  workerd: { jspi: 16_384 },
};

/** How many operations a peer may be asked for at once. */
export function countMaxOf(peer: string, place: Place): number {
  return COUNT_MAX[place]?.[peer] ?? Infinity;
}

const LIMITS: Record<string, Limit[]> = {
  jspi: [STACKS, { workloads: ["million-in-flight"], above: 100_000, reason: "a million take a minute" }],
  "jspi-loops": [STACKS],
  asyncify: [
    {
      workloads: MANY,
      above: 10_000,
      reason: "an instance for each in flight, and no more addresses for their memories",
    },
  ],
  jco: [
    { workloads: ["chain"], reason: "a million takes half a minute; noop/1 is the same" },
    { workloads: MANY, above: 1024, reason: "half a millisecond each at 1,024 already" },
  ],
  "jco-callback": [
    { workloads: ["chain"], reason: "a million takes twenty minutes; noop/1 is the same" },
    { workloads: MANY, above: 256, reason: "more than a millisecond each, however many are in flight" },
  ],
  extism: [
    { place: "workerd", reason: "Workers have no threads that may block" },
    { workloads: MANY, above: 64, reason: "a thread for each in flight" },
  ],
  "wasm-bindgen": [
    { workloads: ["million-in-flight"], above: 100_000, reason: "a million take more than two minutes in Node" },
  ],
};

/** Why a peer is not asked for this. */
export function limitOf(peer: string, workload: Workload, place: Place, size: number): string | undefined {
  return LIMITS[peer]?.find(
    ({ place: there = place, workloads = [workload], above = -Infinity }) =>
      there === place && workloads.includes(workload) && size > above,
  )?.reason;
}
