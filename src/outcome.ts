// Outcome: how an operation succeeded.

export interface Outcome {
  auxiliary?: number;
  payload?: Uint8Array;
  /** A response whose body the guest gets as a resource. */
  response?: Response;
}

/** Nothing to say of it. */
export const DONE: Outcome = {};
