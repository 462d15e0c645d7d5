// Script: what can be told to a handler of the guest, and what a host can be set to.

import type { Isolation } from "../../src/index.ts";

/** What submits an operation. `fetch` leaves the body on the host, `page` brings it along; `end` is Cancel. */
export type OperationKind =
  | "noop"
  | "timer"
  | "get"
  | "put"
  | "delete"
  | "list"
  | "fetch"
  | "page"
  | "read"
  | "close"
  | "respond"
  | "stream"
  | "end";

/** A token: of an operation of this context, of another context in this instance, of one that is over, or of none. */
export type Whose = "live" | "foreign" | "over" | "nobody";
/** A resource: this context's exchange or a body of it, another's exchange, one that was closed, a grant, or none. */
export type What = "exchange" | "body" | "foreign" | "closed" | "grant" | "nothing";

/** One step of a handler. What is as usual is left out, for scripts are read by people. */
export interface Action {
  readonly do: OperationKind | "cancel" | "abort" | "trap" | "grow" | "collect" | "litter" | "run";
  /** Of a timer. */
  readonly ms?: number;
  /** Of a put. */
  readonly bytes?: number;
  /** Of `read` and `close`; of `respond` the exchange, if it is not its own; of `stream` what it sends. */
  readonly what?: What;
  /** Of `cancel` and `end`. */
  readonly whose?: Whose;
  /** Which of several tokens, counted from the latest. */
  readonly nth?: number;
  /** A deadline in milliseconds. */
  readonly within?: number;
  readonly detached?: true;
  /** How often its handler submits it anew. */
  readonly again?: number;
  /** What its handler does. */
  readonly handler?: readonly Action[];
}

export interface Settings {
  /** The guest's. */
  readonly runtime: "incremental" | "minimal" | "stub";
  readonly isolation: Isolation;
  readonly inFlight: number;
  readonly budget: number;
  readonly runs: number;
  readonly connections: number;
  readonly traps: number;
  readonly argumentBytes: number;
  readonly resources: number;
  /** Whether an upstream goes on after an abort. */
  readonly ignoresAbort: boolean;
  /** Whether the guest's memory is compared around each call of the host: slow. */
  readonly watchesMemory: boolean;
}
