// Operation: what a guest asks for, as a value. Nothing runs until it is submitted, and it may be submitted again.

import { CompletionHandler } from "./completion-handler";
import { Completion } from "./completion-queue";
import { Token } from "./handler-table";
import { Submission, commit, prepare } from "./submission-queue";

/** `R` is the view through which the operation's result is read: an unmanaged class over Completion. */
export abstract class Operation<R> {
  deadline_ms: u32 = 0;

  /** Encodes this operation into a blank submission. */
  abstract encode(submission: Submission): void;

  /**
   * Sets a deadline, in milliseconds from submission; 0 is none. When it passes first, the host aborts the work and
   * the operation completes with TimedOut. See proactor_v1, rule 7.
   */
  timeout(ms: u32): this {
    this.deadline_ms = ms;
    return this;
  }

  /**
   * Starts the operation; `handler` is called exactly once, on a later turn. Allocates nothing. Without a handler a
   * failure is reported to the host's `onError`.
   */
  submit(handler: CompletionHandler | null = null): Token {
    const submission = prepare(handler);
    submission.deadline_ms = this.deadline_ms;
    this.encode(submission);
    return commit(submission);
  }

  /** Starts the operation and calls `fn(context, result)`: what a closure would do in a language that has them. */
  then<C>(context: C, fn: (context: C, result: R) => void): Token {
    return this.submit(new Then<C, R>(context, fn));
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
