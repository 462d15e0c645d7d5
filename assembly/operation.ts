// Operation: what a guest asks for, as a value. Nothing runs until it is submitted, and it may be submitted again.

import { newObject } from "./address";
import { CompletionHandler } from "./completion-handler";
import { Completion } from "./completion-queue";
import { Delay } from "./compose/delay";
import { Fallback } from "./compose/fallback";
import { Hedge } from "./compose/hedge";
import { Gate, Limit } from "./compose/limit";
import { Ensure, Mapping } from "./compose/map";
import { Retry, RetryPolicy } from "./compose/retry";
import { Scope, Scoped } from "./compose/scope";
import { wait } from "./fiber";
import { Token } from "./handler-table";
import { noteHandler } from "./proactor";
import { Submission, commit, prepare } from "./submission-queue";

// ╒══════════════ An operation's numbers, 28 bytes, in the order of a submission ═══════════════╕
// ├────────────────┬──────────┬─────────────┬────────────┬────────────┬────────────┬────────────┤
// │ opcode │ flags │ resource │ deadline_ms │ argument 0 │ argument 1 │ argument 2 │ argument 3 │
// └────────────────┴──────────┴─────────────┴────────────┴────────────┴────────────┴────────────┘

/** What all operations are, whatever their results: compiled once, not once for each type of result. */
export abstract class AnyOperation {
  constructor(
    /** The opcode in the low half, the operation's flags in the high half. */
    protected opcode_flags: u32,
    public resource: u32 = 0,
  ) {}

  deadline_ms: u32;
  protected argument_0: u32;
  protected argument_1: u32;
  protected argument_2: u32;
  protected argument_3: u32;

  /** Adds texts and content to a submission that has this operation's numbers. Must not submit anything itself. */
  encode(_submission: Submission): void {}

  /**
   * Starts the operation; `handler` is called exactly once, on a later turn. Allocates nothing. Without a handler a
   * failure is reported to the host's `onError`.
   */
  submit(handler: CompletionHandler | null = null): Token {
    return start(changetype<usize>(this), changetype<usize>(handler));
  }

  /** What `submit` does; a composite operation does it in another way. Nothing need hold the handler. */
  begin(handler: usize): Token {
    const submission = prepareNumbers(changetype<usize>(this), handler);
    this.encode(submission);
    return commit(submission);
  }
}

/** In the place of an opcode's highest bit: there is nothing to encode but numbers. */
export const PLAIN: u32 = 0x8000;

// By addresses. Each call with a reference puts a frame on the shadow stack, and frames are what a submission costs most.

/** Starts an operation of whichever kind. */
export function start(operation: usize, handler: usize): Token {
  if (load<u32>(operation) & PLAIN) return commit(prepareNumbers(operation, handler));
  return begin(operation, handler);
}

function begin(operation: usize, handler: usize): Token {
  return changetype<AnyOperation>(operation).begin(handler);
}

function prepareNumbers(operation: usize, handler: usize): Submission {
  const submission = prepare(handler);
  submission.putNumbers(operation);
  return submission;
}

if (offsetof<AnyOperation>("opcode_flags") != 0) ERROR("opcode_flags is not where putNumbers reads it");
if (offsetof<AnyOperation>("resource") != 4) ERROR("resource is not where putNumbers reads it");
if (offsetof<AnyOperation>("deadline_ms") != 8) ERROR("deadline_ms is not where putNumbers reads it");
if (offsetof<AnyOperation>("argument_0") != 12) ERROR("argument_0 is not where putNumbers reads it");
if (offsetof<AnyOperation>("argument_3") != 24) ERROR("argument_3 is not where putNumbers reads it");

// Where an operation's own fields begin, and its first number that is not the same for all.
export const OPERATION_CONTENT: usize = offsetof<AnyOperation>();
export const OPERATION_ARGUMENT_0: usize = offsetof<AnyOperation>("argument_0");

/**
 * Makes an operation by hand, of the class whose size and number these are. Its first field is `content`, an address or
 * 0. Whoever sets more references does so before taking more memory, so that the collector need not be told.
 */
export function newOperation(bytes: usize, id: u32, opcode_flags: u32, resource: u32, content: usize): usize {
  const operation = newObject(bytes, id, content);
  store<u32>(operation, opcode_flags);
  store<u32>(operation, resource, 4);
  if (bytes > OPERATION_CONTENT) store<usize>(operation, content, OPERATION_CONTENT);
  return operation;
}

/** `R` is the view through which the operation's result is read: an unmanaged class over Completion. */
export abstract class Operation<R> extends AnyOperation {
  /**
   * Sets a deadline, in milliseconds from submission; 0 is none. When it passes first, the work is aborted and the
   * operation completes with TimedOut. See proactor_v1, rule 7. What it returns has no options of its own any more.
   */
  timeout(ms: u32): this {
    store<u32>(changetype<usize>(this), ms, offsetof<AnyOperation>("deadline_ms"));
    return this;
  }

  /** Starts the operation and calls `fn(context, result)`: what a closure would do in a language that has them. */
  then<C>(context: C, fn: (context: C, result: R) => void): Token {
    // In wasm all objects have one type, so one class serves all pairs with an object: less code for each `then`.
    if (isManaged<C>()) return thenAt(changetype<usize>(this), changetype<usize>(context), changetype<usize>(fn));
    return this.begin(changetype<usize>(new Then<C, R>(context, fn)));
  }

  /** On a fiber: starts the operation and waits for its result, which is valid until the fiber waits again. */
  await(): R {
    return changetype<R>(wait(this));
  }

  // Operations made of this one. Methods, because asc would not find R for a function of a Fetch or a KvGet.

  /**
   * Tries again as long as the policy says so. Completes as the first attempt that is not worth another, or as the last;
   * with Invalid for an absurd policy. A `timeout` before it ends one attempt, one behind it all of them.
   */
  retry(policy: RetryPolicy): Retry<R> {
    return new Retry<R>(this, policy);
  }

  /** Starts when the gate has a place for it. Completes with Again if the gate's waiting room is full. */
  limit(gate: Gate): Limit<R> {
    return new Limit<R>(gate, this);
  }

  /** Completes as this one does if that succeeds, else as `other`, which is started then. */
  fallback(other: Operation<R>): Fallback<R> {
    return new Fallback<R>(this, other);
  }

  /**
   * Starts `other` (without one, the same operation once more) when this one has taken `ms` milliseconds, or has failed.
   * Completes with the first success, or with the last failure; whatever is left is cancelled.
   */
  hedge(ms: u32, other: Operation<R> | null = null): Hedge<R> {
    return new Hedge<R>(ms, this, other || this);
  }

  /** Ends with the scope: when that is cancelled, this is. */
  within(scope: Scope): Scoped<R> {
    return new Scoped<R>(scope, this);
  }

  /** Starts after `ms` milliseconds. Its own deadline counts from then on. */
  delay(ms: u32): Delay<R> {
    return new Delay<R>(ms, this);
  }

  /** Completes with `fn(result)` as a Value; a failure passes by. */
  map<T>(fn: (result: R) => T): Mapping<R, T> {
    return new Mapping<R, T>(this, fn);
  }

  /** Completes with Failed where `isGood` says no: a 503 is a success until somebody says so. */
  ensure(isGood: (result: R) => bool): Ensure<R> {
    return new Ensure<R>(this, isGood);
  }
}

// oxlint-disable-next-line typescript/no-wrapper-object-types -- the root of all classes here, and no wrapper.
export type Anything = Object;

/** `then` for an object as the context, by addresses. */
export function thenAt(operation: usize, context: usize, fn: usize): Token {
  return begin(operation, thenObject(operation, context, fn));
}

function thenObject(operation: usize, context: usize, fn: usize): usize {
  const handler = newObject(offsetof<ThenObject>(), idof<ThenObject>(), operation);
  store<usize>(handler, context, offsetof<ThenObject>("context"));
  store<usize>(handler, fn, offsetof<ThenObject>("fn"));
  return handler;
}

class ThenObject extends CompletionHandler {
  context: Anything | null;
  fn: (context: usize, result: Completion) => void;

  onComplete(completion: Completion): void {
    const fn = load<usize>(changetype<usize>(this), offsetof<ThenObject>("fn"));
    noteHandler(fn);
    // By addresses: whoever called this holds it, and it holds both.
    const context = load<usize>(changetype<usize>(this), offsetof<ThenObject>("context"));
    changetype<(context: usize, result: Completion) => void>(fn)(context, completion);
  }
}

class Then<C, R> extends CompletionHandler {
  constructor(
    private context: C,
    private fn: (context: C, result: R) => void,
  ) {
    super();
  }

  onComplete(completion: Completion): void {
    noteHandler(changetype<usize>(this.fn));
    this.fn(this.context, changetype<R>(completion));
  }
}
