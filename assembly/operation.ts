// Operation: what a guest asks for, as a value. Nothing runs until it is submitted, and it may be submitted again.

import { CompletionHandler } from "./completion-handler";
import { Completion } from "./completion-queue";
import { Token } from "./handler-table";
import { Submission, commit, prepare } from "./submission-queue";

// ╒══════════════ An operation's numbers, 28 bytes, in the order of a submission ═══════════════╕
// ├────────────────┬──────────┬─────────────┬────────────┬────────────┬────────────┬────────────┤
// │ opcode │ flags │ resource │ deadline_ms │ argument 0 │ argument 1 │ argument 2 │ argument 3 │
// └────────────────┴──────────┴─────────────┴────────────┴────────────┴────────────┴────────────┘

/** What all operations are, whatever their results: compiled once, not once for each type of result. */
abstract class AnyOperation {
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
    const submission = prepare(handler);
    submission.putNumbers(changetype<usize>(this));
    this.encode(submission);
    return commit(submission);
  }
}

if (offsetof<AnyOperation>("opcode_flags") != 0) ERROR("opcode_flags is not where putNumbers reads it");
if (offsetof<AnyOperation>("deadline_ms") != 8) ERROR("deadline_ms is not where putNumbers reads it");
if (offsetof<AnyOperation>("argument_0") != 12) ERROR("argument_0 is not where putNumbers reads it");
if (offsetof<AnyOperation>("argument_3") != 24) ERROR("argument_3 is not where putNumbers reads it");

/** `R` is the view through which the operation's result is read: an unmanaged class over Completion. */
export abstract class Operation<R> extends AnyOperation {
  /**
   * Sets a deadline, in milliseconds from submission; 0 is none. When it passes first, the host aborts the work and
   * the operation completes with TimedOut. See proactor_v1, rule 7. Comes last, right before `then` or `submit`: what
   * it returns has no other options.
   */
  timeout(ms: u32): this {
    this.deadline_ms = ms;
    return this;
  }

  /** Starts the operation and calls `fn(context, result)`: what a closure would do in a language that has them. */
  then<C>(context: C, fn: (context: C, result: R) => void): Token {
    // In wasm all objects have one type, so one class serves all pairs with an object: less code for each `then`.
    if (isManaged<C>()) return this.submit(thenObject(changetype<usize>(context), changetype<usize>(fn)));
    return this.submit(new Then<C, R>(context, fn));
  }
}

// oxlint-disable-next-line typescript/no-wrapper-object-types -- the root of all classes here, and no wrapper.
type Anything = Object;

/** Takes memory itself: a chain of constructors up to that of Object is 100 bytes more, and slower. */
function thenObject(context: usize, fn: usize): ThenObject {
  const handler = changetype<ThenObject>(__new(offsetof<ThenObject>(), idof<ThenObject>()));
  handler.context = changetype<Anything>(context);
  handler.fn = changetype<(context: Anything | null, result: Completion) => void>(fn);
  return handler;
}

class ThenObject extends CompletionHandler {
  context: Anything | null;
  fn: (context: Anything | null, result: Completion) => void;

  onComplete(completion: Completion): void {
    this.fn(this.context, completion);
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
    this.fn(this.context, changetype<R>(completion));
  }
}
