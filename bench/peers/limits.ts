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
