// Completion: how an operation ended, or what one event of a multishot operation brings.

import { Status } from "../assembly/abi.ts";
import type { Opcode } from "../assembly/abi.ts";

/** Whose completion it is. */
export interface Named {
  readonly slot: number;
  readonly generation: number;
  readonly opcode: Opcode;
}

/** What an operation succeeded with. */
export interface Outcome {
  readonly payload?: Uint8Array | undefined;
  readonly auxiliary?: number;
  /** A response whose body the guest gets as a resource. */
  readonly response?: Response;
}

/** What the guest hears. It is never changed, so that one can stand for many. */
export class Completion {
  constructor(
    readonly status: Status,
    readonly payload?: Uint8Array,
    readonly resource = 0,
    readonly auxiliary = 0,
    /** Completion flags. */
    readonly flags = 0,
    /** Whether no handler waits for what it brings. A failure is not marked so: it was reported when it happened. */
    readonly detached = false,
  ) {}
}

/** Success, and nothing to say of it: so most operations end. */
export const DONE: Completion & Outcome = new Completion(Status.Ok);

/** What the guest hears of a success, with the number of the resource that it gets. */
export function completionOf(outcome: Outcome, resource = 0, detached = false): Completion {
  if (outcome === DONE) return DONE;
  return new Completion(Status.Ok, outcome.payload, resource, outcome.auxiliary, 0, detached);
}
