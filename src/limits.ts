// Limits: everything that a guest could otherwise make grow has one, named with its unit last.

import { KV_VALUE_BYTES_MAX, SLOT_COUNT_MAX } from "../assembly/abi.ts";

export interface Limits {
  /** Operations in flight in one instance; more are refused with Again. At most 1,048,576. */
  inFlight: number;
  /** Completions that one `run` dispatches at most. */
  budget: number;
  /** Runs on one stack before the pump lets the platform's other events go first. */
  runs: number;
  /** Bytes of arguments that the host holds for one instance's operations. */
  argumentBytes: number;
  /** Bytes of a body or value that is brought into the guest. */
  bodyBytes: number;
  /** Requests of one context that may wait for headers at once. */
  connections: number;
  /** Redirects that a fetch follows. */
  redirects: number;
  /** Traps after which a shared instance is replaced, though each was contained. */
  traps: number;
  /** Idle instances that are kept for reuse. */
  idleInstances: number;
  /** Bytes of linear memory above which an instance is replaced once it is idle: memory never shrinks. */
  memoryBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  inFlight: 65_536,
  budget: 256,
  runs: 64,
  argumentBytes: 64 * 1024 * 1024,
  bodyBytes: KV_VALUE_BYTES_MAX,
  connections: 6,
  redirects: 20,
  traps: 100,
  idleInstances: 64,
  memoryBytes: 16 * 1024 * 1024,
};

/** Fills in the defaults. Throws a RangeError for what is no positive whole number. */
export function completeLimits(limits: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(limits)) {
    if (!(name in DEFAULT_LIMITS)) throw new RangeError(`limits.${name}: there is no such limit`);
    if (value === undefined) continue;
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`limits.${name}: ${value} is no positive whole number`);
  }
  const completed = { ...DEFAULT_LIMITS, ...limits };
  if (completed.inFlight > SLOT_COUNT_MAX) throw new RangeError(`limits.inFlight: at most ${SLOT_COUNT_MAX}`);
  return completed;
}
