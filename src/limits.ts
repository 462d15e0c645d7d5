// Limits: everything that a guest could otherwise make grow has one, named with its unit last.

import { KV_VALUE_BYTES_MAX, SLOT_COUNT_MAX } from "../assembly/abi.ts";
import { complete } from "./names.ts";

/** Enough for every limit, and all that `run` takes. */
const I32_MAX = 0x7fff_ffff;

export interface Limits {
  /** Operations in flight in one instance; more are refused with Again. At most 1,048,576. */
  inFlight: number;
  /** Completions that one `run` dispatches at most. */
  budget: number;
  /** Runs on one stack before the pump lets the platform's other events go first. */
  runs: number;
  /** Bytes of arguments that the host holds for one instance's operations. */
  argumentBytes: number;
  /** Resources that one instance's guest holds at once: what it opened, exchanges, and bodies left on the host. */
  resources: number;
  /** Bytes of a body or value that is brought into the guest. */
  bodyBytes: number;
  /** Requests of one context that may wait for headers at once. */
  connections: number;
  /** Milliseconds that an operation waits for another request: for its place at a gate, for a channel. */
  waitMs: number;
  /** Redirects that a fetch follows. */
  redirects: number;
  /** Traps after which a shared instance is replaced, though each was contained. */
  traps: number;
  /** Bytes of linear memory of all the idle instances together that are kept for reuse. */
  idleBytes: number;
  /** Bytes of linear memory above which an instance is replaced once it is idle: memory never shrinks. */
  memoryBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  inFlight: 65_536,
  budget: 256,
  runs: 64,
  argumentBytes: 64 * 1024 * 1024,
  resources: 65_536,
  bodyBytes: KV_VALUE_BYTES_MAX,
  connections: 6,
  waitMs: 30_000,
  redirects: 20,
  traps: 100,
  idleBytes: 64 * 1024 * 1024,
  memoryBytes: 16 * 1024 * 1024,
};

/**
 * Fills in the defaults. Throws a RangeError for what is no positive whole number, or more than a module could take, and
 * a TypeError for what is no limit.
 */
export function completeLimits(limits: Partial<Limits> = {}): Limits {
  const completed = complete("limits", limits, DEFAULT_LIMITS);
  for (const [name, value] of Object.entries(completed)) {
    const max = name === "inFlight" ? SLOT_COUNT_MAX : I32_MAX;
    if (!Number.isInteger(value) || value < 1 || value > max)
      throw new RangeError(`limits.${name}: ${value} is no whole number from 1 to ${max}`);
  }
  return completed;
}
