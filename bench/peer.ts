// Peer: one way to do asynchronous work, as its author would write it. Its code is the same in Node and in workerd.

/** In-process workloads; workloads.ts says what `size` is in each. */
export type Workload =
  | "noop"
  | "chain"
  | "pummel"
  | "million-in-flight"
  | "million-timers"
  | "cancel-storm"
  | "timeout-each"
  | "gather"
  | "race"
  | "limit"
  | "retry"
  | "fiber"
  | "latency"
  | "copy-in"
  | "copy-out"
  | "contexts"
  | "fault-tax"
  | "fault-tax-shared"
  | "border-call"
  | "reaction"
  | "instance";

/**
 * Performs `count` operations of a workload at this size, and resolves when all have completed. Throws if the result is
 * not what it must be.
 */
export type Run = (count: number, size: number) => Promise<void> | void;

/** What a peer can do; what it cannot, it leaves out. */
export type Peer = Partial<Record<Workload, Run>>;

/** Milliseconds after which a measurement has failed: nothing waits for ever. */
export const MEASURE_MS_MAX = 120_000;
