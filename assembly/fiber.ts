// Fiber: straight-line code that waits. It has a stack of its own, which is put aside while it does.
//
// Engine or build tool put aside the stack that they know of (see proactor_v1_fiber.ts). The references in it lie a second
// time on the shadow stack, by which the collector finds them. That one is ours to put aside: each fiber finds it empty
// when it goes on, so its part can lie at the very same addresses, and is kept meanwhile in an array of references, which
// the collector visits.

import { Runtime } from "shared/runtime";
import { takeAborted } from "./abort";
import { bytesAt } from "./address";
import { CompletionHandler } from "./completion-handler";
import { Completion } from "./completion-queue";
import { Composite, newComposite } from "./compose/composite";
import { reclaim, serveFlights, setServing } from "./flight";
import { Token, isCancelled, memberOf } from "./handler-table";
import { AnyOperation, Operation } from "./operation";
import { deliverRefusals, recover } from "./proactor";
import { enter, leave, resume, suspend } from "./proactor_v1_fiber";
import { IN_TURN, ON_FIBER, flush, inTurn, setInTurn } from "./submission-queue";

/** As many rounds as refused handlers have. */
const REFUSALS_MAX: u32 = 16;

/** So often a fiber that was cancelled may wait for something else, to clean up. A loop that looks at nothing would never end. */
const IGNORED_MAX: u32 = 1000;

/** What `resume` returns if nothing has run yet. */
const LATER: i32 = -1;

/** The second half of the area is there to notice what is too deep. */
const STACK_AREA_BYTES: u32 = 65536;
const STACK_BYTES_MAX: u32 = 32768;
/** Before the stack, two words of whoever writes it. */
const STACK_HEAD_BYTES: usize = 8;

type References = StaticArray<CompletionHandler | null>;

/** The flight of a fiber. What it waits for is its one member; its code is in flight, too, while it is to run or runs. */
export abstract class Fiber extends Composite {
  // Static and lazy: a guest that uses no fibers has none of it.

  /** The fiber whose code runs. */
  @lazy static running: Fiber | null = null;
  /** Whether what runs of it is a turn of its own, and not part of one. */
  @lazy static isOwnTurn: bool = false;
  /** The shadow stack of whoever resumes a fiber, meanwhile. */
  @lazy static outside: References | null = null;

  /** Its part of the shadow stack while it waits. */
  private frames: References | null;
  private framesBytes: usize;
  /** What is kept of its stack, if that is not the engine's. */
  private stack: ArrayBuffer | null;
  private stackBytes: u32;
  /** Where the completion lies that it goes on with; 0 while it waits. */
  private result: usize;
  /** Refusals in a row. */
  private refusals: u32;
  private isAbandoned: bool;
  /** Waits since it was cancelled. */
  private ignored: u32;

  /** What its author has written. */
  abstract main(): void;

  protected get name(): string {
    return "fiber";
  }

  protected get runsCode(): bool {
    return true;
  }

  protected start(): void {
    this.goOn();
  }

  /** Also when the outcome is decided: a fiber runs to its end. */
  onComplete(completion: Completion): void {
    if (memberOf(completion.token_slot)) return super.onComplete(completion);
    this.pending--;
    const record = this.member(0);
    record.token = 0;
    this.result = changetype<usize>(completion);
    if (this.goOn() == LATER) {
      // The next poll may come before it goes on.
      this.keep(0, completion);
      this.result = changetype<usize>(record);
    }
    if (!this.pending) this.land();
  }

  protected onMember(_index: u32, _completion: Completion): void {}

  /** A cancel ends what the fiber waits for now and later, and not the fiber. */
  protected cancelled(): void {
    if (this.isUndecided) this.cancelMember(0);
    else super.cancelled();
  }

  private goOn(): i32 {
    this.pending++;
    return goOn(changetype<usize>(this));
  }

  /** Waits for an operation, on the fiber itself. */
  wait(operation: AnyOperation): Completion {
    this.letGo(0);
    this.result = 0;
    this.startMember(0, operation);
    if (!this.isUndecided || isCancelled(<u32>this.token)) {
      assert(
        this.ignored++ < IGNORED_MAX,
        "await: this fiber was cancelled and waits on; end it when a result has failed",
      );
      this.cancelMember(0);
    }
    this.endStretch();
    // What has resumed it already is a refusal and no completion, so nothing need ever make room.
    this.refusals = this.result ? this.refusals + 1 : 0;
    assert(this.refusals < REFUSALS_MAX, "submitted again while the host refuses: wait for a completion first");
    switchAway(changetype<usize>(this));
    return changetype<Completion>(this.result);
  }

  // A stretch is what runs of a fiber between two waits. Where the host runs it after a turn it is a turn of its own.

  beginStretch(): void {
    Fiber.isOwnTurn = !inTurn;
    setInTurn(ON_FIBER);
    if (Fiber.isOwnTurn) setServing(changetype<usize>(this), true);
    Fiber.running = this;
  }

  endStretch(): void {
    this.pending--;
    Fiber.running = null;
    setInTurn(IN_TURN);
    if (!Fiber.isOwnTurn) return;
    if (!this.pending) this.land();
    serveFlights();
    flush();
    deliverRefusals();
    setInTurn(0);
  }

  /** Runs all of it. */
  live(): void {
    this.beginStretch();
    this.main();
    if (this.isUndecided) this.succeed();
    this.endStretch();
  }

  /** Its request has ended before it could go on. The next turn gives its slot back: this is none. */
  abandon(): void {
    this.isAbandoned = true;
    this.enqueue();
  }

  serve(): void {
    if (this.isAbandoned) reclaim(this.token);
    else super.serve();
  }
}

/** The code of `await`. */
export function wait(operation: AnyOperation): Completion {
  if (ASC_RUNTIME == Runtime.Minimal)
    ERROR("await: the minimal runtime would collect what only a waiting fiber refers to; use incremental or stub");
  assert(inTurn == ON_FIBER, "await: only code on a fiber can wait");
  return Fiber.running!.wait(operation);
}

/** What a host calls to run a fiber from its beginning; for entry files to export. */
export function run_fiber(fiber: usize): void {
  if (!isEntered(fiber)) return;
  live(fiber);
  leave(fiber);
}

function live(fiber: usize): void {
  changetype<Fiber>(fiber).live();
}

// What puts the shadow stack aside takes addresses, and holds no references of its own: their places would be on it.

/** Whether the fiber may run now, on an empty shadow stack: an abort may have left something there. */
function isEntered(fiber: usize): bool {
  const entered = enter(fiber) != 0;
  if (takeAborted()) recover();
  __stack_pointer = __heap_base;
  if (!entered) abandon(fiber);
  return entered;
}

function abandon(fiber: usize): void {
  changetype<Fiber>(fiber).abandon();
}

function beginStretch(fiber: usize): void {
  changetype<Fiber>(fiber).beginStretch();
}

/** Puts the shadow stack aside, and resumes a fiber, which finds it empty. */
function goOn(fiber: usize): i32 {
  const bytes = __heap_base - __stack_pointer;
  Fiber.outside = changetype<References>(copyReferences(changetype<usize>(Fiber.outside), bytes));
  const area = stackArea();
  const kept = load<u32>(fiber, offsetof<Fiber>("stackBytes"));
  memory.copy(area + STACK_HEAD_BYTES, load<usize>(fiber, offsetof<Fiber>("stack")), kept);
  const left = resume(fiber, area, STACK_AREA_BYTES, kept);
  restoreReferences(changetype<usize>(Fiber.outside), bytes);
  if (left > 0) keepStack(fiber, left);
  return left;
}

/** Where a stack is written into that is not the engine's to keep. Of no use to a host with JSPI. */
function stackArea(): usize {
  return memory.data(65536, 8);
}

function keepStack(fiber: usize, bytes: u32): void {
  assert(bytes <= STACK_BYTES_MAX, "await: the stack of this fiber is too deep to be kept");
  let stack = load<usize>(fiber, offsetof<Fiber>("stack"));
  if (!stack || bytes > bytesAt(stack)) {
    stack = __new(bytes, idof<ArrayBuffer>());
    store<usize>(fiber, stack, offsetof<Fiber>("stack"));
    __link(fiber, stack, false);
  }
  memory.copy(stack, stackArea() + STACK_HEAD_BYTES, bytes);
  store<u32>(fiber, bytes, offsetof<Fiber>("stackBytes"));
}

/** Puts this fiber's part of the shadow stack aside, and back when it is resumed. */
function switchAway(fiber: usize): void {
  const bytes = __heap_base - __stack_pointer;
  const frames = copyReferences(load<usize>(fiber, offsetof<Fiber>("frames")), bytes);
  store<usize>(fiber, frames, offsetof<Fiber>("frames"));
  __link(fiber, frames, false);
  store<usize>(fiber, bytes, offsetof<Fiber>("framesBytes"));
  __stack_pointer = __heap_base;
  leave(fiber);
  suspend(fiber);
  // Nobody but the host hears of this trap, by which the fiber ends.
  if (!isEntered(fiber)) unreachable();
  restoreReferences(load<usize>(fiber, offsetof<Fiber>("frames")), load<usize>(fiber, offsetof<Fiber>("framesBytes")));
  beginStretch(fiber);
}

/** Copies the shadow stack into an array of references, or into a larger one. */
function copyReferences(array: usize, bytes: usize): usize {
  if (!array || bytes > <usize>bytesAt(array)) array = __new(bytes, idof<References>());
  memory.copy(array, __stack_pointer, bytes);
  for (let at: usize = 0; at < bytes; at += sizeof<usize>()) __link(array, load<usize>(array + at), true);
  return array;
}

/** Puts them back where they were. The array shall hold nothing longer than that. */
function restoreReferences(array: usize, bytes: usize): void {
  __stack_pointer = __heap_base - bytes;
  memory.copy(__stack_pointer, array, bytes);
  memory.fill(array, 0, bytes);
}

class FiberOf<C> extends Fiber {
  context!: C;
  body!: (context: C) => void;

  main(): void {
    this.body(this.context);
  }
}

class FiberOperation<C> extends Operation<Completion> {
  constructor(
    private context: C,
    private body: (context: C) => void,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<FiberOf<C>>(handler, 1);
    flight.context = this.context;
    flight.body = this.body;
    return flight.begin(this.deadline_ms);
  }
}

/**
 * Runs `body(context)` on a fiber, where `await` waits. Completes with Ok when that has returned. A cancel, or a deadline,
 * ends what it waits for, and all that it waits for from then on, as Cancelled.
 */
export function fiber<C>(context: C, body: (context: C) => void): Operation<Completion> {
  return new FiberOperation<C>(context, body);
}
