// Instance: one instance of the guest, its imports, and the only place that calls its exports.
//
// `current` is the context on whose stack the guest runs. It is set around every call into the module, and each
// submission made meanwhile belongs to it.

import {
  ABORT_TEXT_BYTES_MAX,
  COMPLETION_BYTES,
  DETACHED,
  MORE,
  Opcode,
  RECLAIM,
  RESOURCE_MAX,
  RESOURCE_NAME_BYTES_MAX,
  SUBMISSION_BYTES,
  SUBMIT_COUNT_MAX,
  Status,
} from "../assembly/abi.ts";
import { CompletionQueue } from "./completion-queue.ts";
import type { CompletionRing } from "./completion-ring.ts";
import { Completion, completionOf } from "./completion.ts";
import type { Outcome } from "./completion.ts";
import { Context } from "./context.ts";
import { Failure, statusOf } from "./failure.ts";
import type { Counters, Host } from "./host.ts";
import type { Limits } from "./limits.ts";
import { Memory } from "./memory.ts";
import { Operation } from "./operation.ts";
import type { Processor, Work } from "./operation.ts";
import type { ProactorOptions } from "./options.ts";
import { processors } from "./processors.ts";
import { SHUT_DOWN } from "./report.ts";
import type { Place } from "./report.ts";
import type { RequestContext } from "./request-context.ts";
import type { Grants } from "./resource.ts";
import { Submission } from "./submission.ts";
import { wasiImports } from "./wasi.ts";

const RECLAIMED = new Completion(Status.ShutDown, undefined, 0, 0, RECLAIM);

/** Unwinds the module's stack from inside `abort`. */
export class GuestAbort extends Error {
  override readonly name = "GuestAbort";

  constructor(
    message: string,
    readonly place: Place,
  ) {
    super(message);
  }
}

interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  run(budget: number): number;
}

export class Instance {
  /** What belongs to no request: the accept, and slots to be reclaimed. */
  readonly context: Context;
  /** The multishot operation that takes incoming requests, until it is settled. */
  accept: Operation | undefined;
  /** Whether the heads of requests have their headers. */
  wantsHeaders = false;
  /** The context on whose stack the guest runs. */
  current: Context | undefined;
  /** What is in flight, by slot. */
  readonly operations: (Operation | undefined)[] = [];
  /** Operations whose completion has not been polled. */
  admitted = 0;
  /** Bytes of arguments that the host holds. */
  heldBytes = 0;
  /** Resources that the guest holds. */
  resources = 0;
  traps = 0;
  /** Requests that it serves now. */
  contexts = 0;
  retired = false;
  /** Whether the last turn ended in an abort, after which the guest tidies up when it is called again. */
  interrupted = false;
  /** Tell the guest of fibers of ended requests, before the next turn. */
  readonly orphans: (() => void)[] = [];
  /** The completions of the last poll. */
  readonly queue: CompletionQueue;
  readonly #host: Host;
  readonly #limits: Limits;
  readonly #counters: Counters;
  readonly #exports: Exports;
  readonly #memory: Memory;
  readonly #submission: Submission;
  readonly #granted: Grants;
  #lastResource = 0;
  /** Completions that the guest may still take on this turn. */
  #left = 0;

  /** Instantiates the module and runs its `_initialize`. Throws what `_initialize` throws. */
  constructor(host: Host, module: WebAssembly.Module, options: Required<ProactorOptions>) {
    this.#host = host;
    this.#limits = host.limits;
    this.#counters = host.counters;
    this.#granted = options.resources;
    this.context = new Context(host, this);
    const imports = {
      proactor_v1: { submit: this.#submit, poll: this.#poll, open: this.#open, abort: this.#abort },
      wasi_snapshot_preview1: wasiImports(module, () => instance, options),
    };
    const instance = options.instantiate(module, imports, this);
    if (!instance?.exports) throw new TypeError("instantiate: what it gives is no instance; it is jspi(), not jspi");
    this.#exports = instance.exports as unknown as Exports;
    this.#memory = new Memory(this.#exports.memory);
    this.#submission = new Submission(this.#memory);
    this.queue = new CompletionQueue(this.#memory);
    this.#counters.instances++;
    this.#counters.instantiated++;
    this.current = this.context;
    this.#left = this.#limits.budget;
    try {
      this.#exports._initialize();
    } catch (error) {
      this.retire();
      throw error;
    } finally {
      this.current = undefined;
    }
  }

  /** Takes the instance out of use. It is not called again. */
  retire(): void {
    if (this.retired) return;
    this.retired = true;
    this.#counters.instances--;
    this.#counters.inFlight -= this.admitted;
  }

  get memoryBytes(): number {
    return this.#memory.bytes.length;
  }

  /**
   * Whether the instance should be replaced once it is idle: neither its memory nor its numbers ever come back, and
   * one whose guest has cancelled the accept serves nobody.
   */
  get isWornOut(): boolean {
    const isTooBig = this.memoryBytes > this.#limits.memoryBytes;
    return isTooBig || this.#lastResource > RESOURCE_MAX / 2 || !!this.accept?.settled;
  }

  /** Whether the guest has something to do that belongs to no request: what an ended one held may be another's now. */
  get owesTurn(): boolean {
    return this.interrupted || this.orphans.length > 0 || this.context.pending.length > 0;
  }

  // Calls into the module.

  /** Runs turns of a context until nothing is pending or others should be served. Returns what ended them otherwise. */
  run(context: RequestContext): unknown {
    // No stack of the module outlives the event that made it, unless the platform has cut it off.
    if (this.current)
      return new Error(`the platform ended another request while the module ran: ${this.current.title}`);
    const { budget, runs } = this.#limits;
    try {
      if (this.orphans.length > 0) for (const tell of this.orphans.splice(0)) tell();
      this.current = context;
      for (let turns = 0; turns < runs && (context.due > 0 || this.interrupted); turns++) {
        const isDue = context.due > 0;
        this.interrupted = false;
        this.#left = budget;
        const result = this.#exports.run(budget);
        if (result < 0) throw new Error(`run() answered ${result}`);
        if (isDue && this.#left === budget) throw new Error("run() took none of the completions");
      }
      return undefined;
    } catch (error) {
      this.interrupted = true;
      return error;
    } finally {
      this.current = undefined;
    }
  }

  /** Arranges that the guest frees the slots of a context that is over. Their handlers are not called. */
  reclaim({ inFlight, pending }: Context): void {
    const reclaimed = this.context.pending;
    for (const operation of inFlight.items()) reclaimed.push(operation, RECLAIMED);
    while (pending.length > 0) {
      const { first, firstName } = pending;
      pending.shift(1, [], 0);
      // A request's head came under the token of the accept, which lives on.
      if (!(first.flags & MORE)) reclaimed.push(firstName, RECLAIMED);
    }
  }

  /** The operation in flight, in any context, that has this token. */
  find(slot: number, generation: number): Operation | undefined {
    const operation = this.operations[slot];
    return operation?.generation === generation ? operation : undefined;
  }

  /** Gives back what an operation holds of the instance. */
  forget(operation: Operation): void {
    this.heldBytes -= operation.heldBytes;
    if (this.operations[operation.slot] === operation) this.operations[operation.slot] = undefined;
  }

  // Resources.

  /** A number for a resource that the guest holds from now on. */
  takeResourceNumber(): number {
    this.resources++;
    return ++this.#lastResource;
  }

  // submit

  #submittedAt: number | undefined;

  /** When the present batch was submitted. The clock is asked once: it costs more than the rest of a deadline. */
  get submittedAt(): number {
    return (this.#submittedAt ??= this.#host.clock.now());
  }

  readonly #submit = (at: number, count: number): number => {
    const context = this.current;
    if (!context) return Status.Invalid;
    // A module that declares other types than i32 gives other numbers.
    count >>>= 0;
    if (count > SUBMIT_COUNT_MAX) return Status.TooBig;
    if (at & 3 || !this.#memory.contains(at, count * SUBMISSION_BYTES)) return Status.Fault;
    this.#submittedAt = undefined;
    for (let index = 0; index < count; index++) {
      this.#submission.moveTo(at >>> 0, index);
      if (!this.#admit(this.#submission, context)) {
        this.#refuse(this.#submission, context);
        return index;
      }
    }
    return count;
  };

  /** Where no handler waits, the guest cannot tell anybody. A cancel or a wake that comes too late is no loss. */
  #refuse(submission: Submission, context: Context): void {
    this.#counters.refused++;
    if (submission.opcode === Opcode.Cancel || submission.opcode === Opcode.Wake) return;
    const processor = processors[submission.opcode];
    try {
      // What only tells the host something is heard all the same.
      if (processor?.tells) return void this.#decode(submission, context, processor);
    } catch {
      // It is refused as any other.
    }
    if (submission.detached) context.reportUnhandled(submission, Status.Again, "the host is at its limit");
  }

  /** Takes one submission and starts its work. False if the host is full; then nothing has changed. */
  #admit(submission: Submission, current: Context): boolean {
    const processor = processors[submission.opcode];
    const isFull = this.#isFull(submission);
    if (isFull && !processor?.relieves?.(submission, current)) return false;
    const context = processor?.ofInstance ? this.context : current;
    let work: Work;
    try {
      work = this.#decode(submission, context, processor);
    } catch (error) {
      // What fails makes no room.
      if (isFull) return false;
      work = () => {
        throw error;
      };
    }
    this.admitted++;
    this.#counters.inFlight++;
    if (typeof work === "function") this.#start(work, new Operation(context, submission), submission.deadlineMs);
    else context.complete(submission, completionOf(work));
    return true;
  }

  #isFull({ argumentBytes }: Submission): boolean {
    if (this.admitted >= this.#limits.inFlight) return true;
    // What could never be held fails instead of being refused for ever.
    const bytesMax = this.#limits.argumentBytes;
    return argumentBytes <= bytesMax && this.heldBytes + argumentBytes > bytesMax;
  }

  /** Reads and checks the arguments. Throws what is wrong, and has changed nothing then. */
  #decode(submission: Submission, context: Context, processor: Processor | undefined): Work {
    submission.check(DETACHED | (processor?.flags ?? 0));
    if (submission.argumentBytes > this.#limits.argumentBytes)
      throw new Failure(Status.TooBig, "the arguments are over the limit");
    if (this.operations[submission.slot]?.context === context)
      throw new Failure(Status.Invalid, "the slot is in flight already");
    if (this.current === this.context && submission.opcode !== Opcode.Accept)
      throw new Failure(Status.NotPermitted, "only accept can be submitted while the module starts");
    // What ends something is still welcome, and what tells of a failure.
    if (this.#host.shutdownMode && !processor!.relieves && !processor!.tells)
      throw new Failure(Status.ShutDown, SHUT_DOWN.detail);
    return processor!.decode(submission, context);
  }

  #start(work: Exclude<Work, Outcome>, operation: Operation, deadlineMs: number): void {
    this.heldBytes += operation.heldBytes;
    try {
      const outcome = work(operation);
      if (operation.settled) return;
      if (outcome !== undefined && !(outcome instanceof Promise)) return operation.succeed(outcome);
      operation.context.track(operation);
      if (deadlineMs !== 0) operation.setDeadline(deadlineMs);
      outcome?.then(
        (result) => operation.succeed(result),
        (error) => operation.fail(error),
      );
    } catch (error) {
      operation.fail(error);
    }
  }

  // poll

  readonly #poll = (at: number, capacity: number, arena: number, arenaBytes: number): number => {
    const context = this.current;
    if (!context) return Status.Invalid;
    const records = Math.min(capacity >>> 0, context.due, this.#left);
    if (at & 3 || !this.#memory.contains(at, records * COMPLETION_BYTES)) return Status.Fault;
    if (!this.#memory.contains(arena, arenaBytes)) return Status.Fault;
    // The last batch still tells whose handler ran last.
    if (records === 0) return 0;
    this.queue.begin(at, arena, arenaBytes);
    const ofInstance = this.context.pending;
    for (;;) {
      if (ofInstance.length > 0) this.queue.take(ofInstance, records);
      if (ofInstance.length === 0) this.queue.take(context.pending, records);
      if (this.queue.length > 0) break; // What did not fit into the arena finds it empty next time.
      const ring = ofInstance.length > 0 ? ofInstance : context.pending;
      if (!ring.demanded) {
        ring.demanded = true;
        this.#left--;
        return this.queue.demand(ring.first.payload!.length);
      }
      this.#tooBig(ring, context); // The guest was told, and polls without room for it all the same.
    }
    this.#delivered(this.queue);
    return this.queue.length;
  };

  #delivered({ length, more, reclaimed }: CompletionQueue): void {
    const ended = length - more;
    this.#left -= length;
    this.admitted -= ended;
    this.#counters.inFlight -= ended;
    this.#counters.reclaimed += reclaimed;
    this.#counters.completed += ended - reclaimed;
  }

  #tooBig(ring: CompletionRing, context: Context): void {
    const { resource, flags, detached } = ring.first;
    context.closeResource(resource);
    ring.first = new Completion(Status.TooBig, undefined, 0, 0, flags);
    if (detached)
      context.reportUnhandled(ring.firstName, Status.TooBig, "the payload does not fit into the guest's arena");
  }

  // open and abort

  readonly #open = (at: number, length: number): number => {
    const context = this.current;
    if (!context) return Status.Invalid;
    if (length >>> 0 > RESOURCE_NAME_BYTES_MAX) return Status.TooBig;
    if (!this.#memory.contains(at, length)) return Status.Fault;
    try {
      return this.#openGrant(this.#memory.text(at, length), context);
    } catch (error) {
      return statusOf(error);
    }
  };

  /** The grant belongs to whoever opens it: a request, or the instance while the module starts. */
  #openGrant(name: string, context: Context): number {
    if (!Object.hasOwn(this.#granted, name)) {
      const granted = Object.keys(this.#granted).join(", ") || "nothing";
      this.#host.report({ kind: "open", message: `the module asked for "${name}"; granted are: ${granted}` });
      return Status.NotFound;
    }
    context.checkResources();
    return context.addResource(this.#granted[name]!);
  }

  readonly #abort = (
    message: number,
    messageBytes: number,
    file: number,
    fileBytes: number,
    line: number,
    column: number,
  ): never => {
    const place = { file: this.#abortText(file, fileBytes), line: line >>> 0, column: column >>> 0 };
    throw new GuestAbort(this.#abortText(message, messageBytes), place);
  };

  /** Whatever the guest points at, and even before there is a memory: a trap is reported though its report is wrong. */
  #abortText(at: number, length: number): string {
    const bytes = Math.min(length >>> 0, ABORT_TEXT_BYTES_MAX);
    return this.#memory?.contains(at, bytes) ? new TextDecoder().decode(this.#memory.view(at, bytes)) : "";
  }
}
