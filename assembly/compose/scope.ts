// Scope: operations that end together.

import { Status } from "../abi";
import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { AnyOperation, Operation } from "../operation";
import { cancel } from "../operation/cancel";
import { Composite, newComposite } from "./composite";
import { Waiters, Waiting } from "./waiters";

/**
 * What was started within a scope ends with it: `cancel` cancels all of it, and `join` completes when the last has ended. A
 * scope belongs to one request; an exchange has one, which ends when it is answered.
 */
export class Scope {
  private first: ScopedFlight | null;
  private joining: Waiters = new Waiters();
  private cancelled: bool;

  /** Whether it was cancelled: what is started within it from now on is cancelled at once. */
  get isCancelled(): bool {
    return this.cancelled;
  }

  /** Whether nothing is in flight within it. */
  get isEmpty(): bool {
    return this.first == null;
  }

  /** Cancels what is in flight within the scope, and what is started within it later. */
  cancel(): void {
    this.cancelled = true;
    for (let flight = this.first; flight; flight = flight!.following) cancel(flight.token);
  }

  /** Completes with Ok when nothing is in flight within the scope. */
  join(): Operation<Completion> {
    return new Join(this);
  }

  enter(flight: ScopedFlight): void {
    const first = this.first;
    flight.following = first;
    if (first) first.previous = flight;
    this.first = flight;
  }

  leave(flight: ScopedFlight): void {
    const previous = flight.previous;
    const following = flight.following;
    if (previous) previous.following = following;
    else this.first = following;
    if (following) following.previous = previous;
    if (!this.first) while (this.joining.wakeFirst());
  }

  wait(flight: Waiting): void {
    this.joining.add(flight);
  }

  forget(flight: Waiting): void {
    this.joining.remove(flight);
  }
}

class ScopedFlight extends Composite {
  scope!: Scope;
  operation!: AnyOperation;
  previous: ScopedFlight | null;
  following: ScopedFlight | null;
  private isInside: bool;

  protected get name(): string {
    return "within";
  }

  protected start(): void {
    if (this.scope.isCancelled) return this.fail(Status.Cancelled, "the scope has ended");
    this.isInside = true;
    this.scope.enter(this);
    this.startMember(0, this.operation);
  }

  protected onMember(_index: u32, completion: Completion): void {
    this.pass(completion);
  }

  protected onEnd(): void {
    if (this.isInside) this.scope.leave(this);
  }
}

export class Scoped<R> extends Operation<R> {
  constructor(
    private scope: Scope,
    private operation: Operation<R>,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<ScopedFlight>(handler, 1);
    flight.scope = this.scope;
    flight.operation = this.operation;
    return flight.begin(this.deadline_ms);
  }
}

class JoinFlight extends Waiting {
  scope!: Scope;

  protected get name(): string {
    return "join";
  }

  protected start(): void {
    if (this.scope.isEmpty) return this.succeed();
    this.scope.wait(this);
    this.wait(0);
  }

  protected onMember(_index: u32, completion: Completion): void {
    if (this.isWoken) this.succeed();
    else this.pass(completion);
  }

  protected onEnd(): void {
    this.scope.forget(this);
  }
}

class Join extends Operation<Completion> {
  constructor(private scope: Scope) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<JoinFlight>(handler, 1);
    flight.scope = this.scope;
    return flight.begin(this.deadline_ms);
  }
}
