// Books: what the model knows of each operation, each request and each instance.

import { Opcode, Status } from "../../assembly/abi.ts";
import type { GuestModel } from "./guest-model.ts";
import type { Action, OperationKind } from "./script.ts";

/** A word that was not what was promised. */
export class Divergence extends Error {
  override readonly name = "Divergence";
}

export function must(promise: string, holds: boolean, what: () => string): asserts holds {
  if (!holds) throw new Divergence(`${promise}: ${what()}`);
}

export const OPCODES: Record<OperationKind | "accept", Opcode> = {
  noop: Opcode.Noop,
  timer: Opcode.Timer,
  get: Opcode.KvGet,
  put: Opcode.KvPut,
  delete: Opcode.KvDelete,
  list: Opcode.KvList,
  fetch: Opcode.Fetch,
  page: Opcode.Fetch,
  read: Opcode.Read,
  close: Opcode.Close,
  respond: Opcode.Respond,
  stream: Opcode.Respond,
  end: Opcode.Cancel,
  accept: Opcode.Accept,
};

/** An exchange, or the body of a fetched response. */
export class Resource {
  /** As the guest knows it; 0 before it does. */
  number = 0;
  taken = false;
  constructor(readonly kind: "exchange" | "body") {}
}

export class Operation {
  /** Slot and generation; empty until the guest has said them. */
  token = "";
  bytes = 0;
  /** `flying`: admitted, and its final completion not decided. `over`: nobody waits for its result. */
  place: "prepared" | "flying" | "over" = "prepared";
  /** The guest's mark. */
  cancelled = false;
  /** What it waits for outside: its turn among the connections, the answer to its call, the rest of a body. */
  call: "none" | "waiting" | "granted" | "started" | "body" = "none";
  /** Whether outside may see the call: once. */
  begins = false;
  due = Infinity;
  dueStatus = Status.TimedOut;
  /** The body that it reads. */
  source: Resource | undefined;
  /** What its handler does. */
  handler: readonly Action[];

  constructor(
    /** What the guest calls its handler: 0 if it has none, 1 for the accept. */
    readonly number: number,
    readonly kind: OperationKind | "accept",
    readonly action: Partial<Action>,
    /** None: the instance's. */
    readonly context: Context | undefined,
    /** Numbers of the resource that it is about, and of the one that it sends. */
    readonly on = 0,
    readonly from = 0,
    /** The token to cancel. */
    readonly victim = "",
  ) {
    this.handler = action.handler ?? [];
  }

  /** One that the guest library submits by itself. */
  static silent(kind: "close" | "end", context: Context | undefined, on: number, victim = ""): Operation {
    return new Operation(0, kind, { detached: true }, context, on, 0, victim);
  }

  get detached(): boolean {
    return this.action.detached === true;
  }

  /** Whether it speaks HTTP, which can be aborted. */
  get isHttp(): boolean {
    return this.kind === "fetch" || this.kind === "page";
  }

  toString(): string {
    return `${this.kind} ${this.number} (${this.token}) of ${this.context?.title ?? "the instance"}`;
  }
}

export interface Completion {
  readonly operation: Operation;
  readonly flags: number;
  readonly status: Status;
  readonly resource: Resource | undefined;
  /** Undefined: a sentence for people. */
  readonly payload: Uint8Array | undefined;
  readonly auxiliary: number;
  /** The run in which it was queued. */
  readonly run: number;
}

/** A completion as it lies in memory. */
export interface Seen {
  readonly token: string;
  readonly status: Status;
  readonly flags: number;
  readonly resource: number;
  readonly payload: Uint8Array;
  readonly auxiliary: number;
}

/** A submission as it lies in memory. */
export interface Submitted {
  readonly token: string;
  readonly opcode: Opcode;
  readonly detached: boolean;
  readonly bytes: number;
}

export const NO_BYTES = new Uint8Array(0);

/** One incoming request. */
export class Context {
  instance: Instance | undefined;
  live = true;
  /** The platform has ended it without a word; the host may not know yet. */
  killed = false;
  /** What the client gets: which operation answered, or why none did. */
  answer: string | undefined;
  readonly exchange = new Resource("exchange");
  readonly resources = new Set([this.exchange]);
  /** Numbers of those that were closed. */
  readonly closed: number[] = [];
  /** In the order of admission. */
  readonly flying = new Set<Operation>();
  readonly pending: Completion[] = [];
  /** Calls that have a connection, and those that wait for one. */
  readonly connected = new Set<Operation>();
  readonly waiting: Operation[] = [];
  /** Runs since the stack was empty. */
  runsOnStack = 0;
  /** The last completion that it took. */
  last: Completion | undefined;

  constructor(
    readonly title: string,
    /** The request's head, as the guest gets it. */
    readonly head: Uint8Array,
    readonly steps: readonly Action[],
  ) {}

  resource(number: number): Resource | undefined {
    return [...this.resources].find((resource) => resource.number === number);
  }

  inFlight(token: string): Operation | undefined {
    return [...this.flying].find((operation) => operation.token === token);
  }
}

/** One instance of the module. */
export class Instance {
  retired = false;
  /** Requests that it has had, and those that it has. */
  served = 0;
  readonly contexts = new Set<Context>();
  traps = 0;
  runs = 0;
  /** The context on whose stack it runs, the completions that the run has taken, and what it has used of its budget. */
  running: Context | undefined;
  taken = 0;
  spent = 0;
  admitted = 0;
  heldBytes = 0;
  /** How many the guest holds; all that it ever had; those that it opened itself. */
  resources = 0;
  readonly resourceNumbers = new Set<number>();
  readonly grants: number[] = [];
  /** Completions of no request: slots to be reclaimed. */
  readonly pending: Completion[] = [];
  readonly accept = new Operation(1, "accept", {}, undefined);

  constructor(readonly guest: GuestModel) {}
}
