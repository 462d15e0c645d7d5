// Operation: one submission from its admission to its final completion.

import { Opcode, Status } from "../assembly/abi.ts";
import { Completion, DONE, completionOf } from "./completion.ts";
import type { Named, Outcome } from "./completion.ts";
import type { Context } from "./context.ts";
import type { Deadline } from "./deadlines.ts";
import { messageOf, statusOf } from "./failure.ts";
import { encodeBytes } from "./memory.ts";
import { Body, cancelBody } from "./resource.ts";
import type { Submission } from "./submission.ts";

/** UTF-16 units of a failure's message: platforms put whole documents into theirs. */
const MESSAGE_UNITS_MAX = 1024;

/**
 * What an operation does: at once, later, or by arranging that it is settled. The submission has moved on by then. Where
 * nothing is left to do, it is the outcome itself.
 */
export type Work = Outcome | ((operation: Operation) => Outcome | Promise<Outcome> | undefined);

/** The host's half of one kind of operation. */
export interface Processor {
  /** As the guest's author knows it. */
  readonly name: string;
  /** Whether it belongs to the instance rather than to the context that submits it. */
  readonly ofInstance?: true | undefined;
  /** The operation's own submission flags. */
  readonly flags?: number | undefined;
  /** Reads and checks the arguments, inside `submit`, and says what to do. Throws a Failure and has changed nothing. */
  decode(submission: Submission, context: Context): Work;
  /** Whether this is admitted even when the host is full, because it makes room. What it would end may stand for yes. */
  relieves?: ((submission: Submission, context: Context) => boolean | Operation | undefined) | undefined;
  /** Whether it only tells the host something, which it hears even when it is full or shutting down. */
  readonly tells?: true | undefined;
}

export class Operation implements Named {
  // What the submission says, which has moved on to the next record by then.
  readonly slot: number;
  readonly generation: number;
  readonly opcode: Opcode;
  readonly detached: boolean;
  /** The resource that it works on; closing that one cancels this. */
  readonly target: number;
  /** Bytes of arguments that the host holds for it. */
  readonly heldBytes: number;
  /** Whether the final completion is decided. What comes later is disposed of. */
  settled = false;
  // Its neighbours in flight.
  before: Operation | undefined = undefined;
  after: Operation | undefined = undefined;
  /** Whether it is a wait that another context has woken, and its own has not heard so. */
  woken = false;
  #controller: AbortController | undefined;
  #deadline: Deadline | undefined;

  constructor(
    readonly context: Context,
    submission: Submission,
  ) {
    this.slot = submission.slot;
    this.generation = submission.generation;
    this.opcode = submission.opcode;
    this.detached = submission.detached;
    this.target = submission.resource;
    this.heldBytes = submission.argumentBytes;
  }

  /** Aborted when the result is no longer wanted. Made on demand: most operations end without one. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.settled) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Ends the operation as TimedOut after `ms` milliseconds. */
  setDeadline(ms: number): void {
    this.#expire(ms, () => this.end(Status.TimedOut, "the deadline passed"));
  }

  /** Ends the operation with success after `ms` milliseconds. */
  completeAfter(ms: number): void {
    this.#expire(ms, () => this.succeed(DONE));
  }

  /** Of a deadline and a timer only the earlier can matter. Both count from the submission. */
  #expire(ms: number, expire: () => void): void {
    const { deadlines, instance } = this.context;
    const previous = this.#deadline;
    const added = deadlines.add(ms, expire, instance.submittedAt);
    if (previous && previous.due <= added.due) return deadlines.remove(added);
    if (previous) deadlines.remove(previous);
    this.#deadline = added;
  }

  succeed(outcome: Outcome): void {
    if (this.settled) return this.#dispose(outcome);
    const resource = outcome.response ? this.context.addResource(new Body(outcome.response)) : 0;
    this.#settle(completionOf(outcome, resource, this.detached));
  }

  fail(error: unknown): void {
    if (this.settled) return void this.context.host.counters.late++;
    this.#fail(statusOf(error), messageOf(error).slice(0, MESSAGE_UNITS_MAX));
  }

  /** Ends the operation from outside: its work is aborted and its final completion queued, both in this turn. */
  end(status: Status, message: string): void {
    if (this.settled) return;
    this.#fail(status, message);
    this.abort();
  }

  #fail(status: Status, message: string): void {
    this.#settle(new Completion(status, encodeBytes(message)));
    if (this.detached) this.context.reportUnhandled(this, status, message);
  }

  /** Tells the work that nobody wants its result. On the context's own stack only. */
  abort(): void {
    this.#controller?.abort();
  }

  #settle(completion: Completion): void {
    this.settled = true;
    if (this.#deadline) this.context.deadlines.remove(this.#deadline);
    this.context.untrack(this);
    this.context.complete(this, completion);
  }

  /** A result that nobody will see is let go of, once. */
  #dispose(outcome: Outcome): void {
    this.context.host.counters.late++;
    if (outcome.response) cancelBody(outcome.response);
  }
}
