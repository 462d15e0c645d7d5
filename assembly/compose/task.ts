// Task: a sequential flow as one class, whose steps stand in the order in which they happen.

import { Status } from "../abi";
import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { AnyOperation, Operation } from "../operation";
import { Composite, newComposite } from "./composite";
import { Value, boxed } from "./value";

/**
 * A flow that is itself an operation and completes with a `Value<T>`. A subclass has its state in fields and its steps in
 * `resume`, a switch over `step`; each step ends with `next`, `done`, `fail` or `failAs`. One object is one flow at a time.
 */
export abstract class Task<T> extends Operation<Value<T>> {
  /** Which step `resume` is at; 0 at the start. */
  protected step: u32;
  private flight: TaskFlight<T> | null;

  constructor() {
    super(0);
  }

  /** Does one step. `completion` is what `next` was given has come to, valid until this returns; Ok and empty at the start. */
  abstract resume(completion: Completion): void;

  /** Starts an operation, whose completion resumes the task at `step`. */
  protected next(operation: AnyOperation, step: u32): void {
    this.step = step;
    this.open.next(operation);
  }

  /** Ends the task with a value. */
  protected done(value: T): void {
    this.open.end(value);
  }

  /** Ends the task with a failure. */
  protected fail(status: Status, message: string): void {
    assert(status < 0, "fail: the status of a failure is negative");
    this.open.endAs(status, message);
  }

  /** Ends the task with the failure of one of its operations. */
  protected failAs(completion: Completion): void {
    assert(completion.failed, "failAs: this has not failed");
    // Not passed on as it is: of one of a gather's results only the gather knows what its payload lies in.
    this.open.endAs(completion.status, completion.message());
  }

  private get open(): TaskFlight<T> {
    const flight = this.flight;
    assert(flight != null && flight.isOpen, "a task's step ends once, with next, done, fail or failAs");
    return flight!;
  }

  begin(handler: usize): Token {
    const flight = newComposite<TaskFlight<T>>(handler, 1);
    flight.task = this;
    return flight.begin(this.deadline_ms);
  }

  /** Whether the flight may have the task, whose fields are the state of one flow. */
  take(flight: TaskFlight<T>): bool {
    if (this.flight) return false;
    this.flight = flight;
    this.step = 0;
    return true;
  }

  giveBack(flight: TaskFlight<T>): void {
    if (this.flight == flight) this.flight = null;
  }
}

class TaskFlight<T> extends Composite {
  task!: Task<T>;

  protected get name(): string {
    return "task";
  }

  protected get runsCode(): bool {
    return true;
  }

  protected start(): void {
    if (this.task.take(this)) this.task.resume(this.completion);
    else this.fail(Status.Invalid, "this task is in flight already: make another object for another flow");
  }

  protected onMember(_index: u32, completion: Completion): void {
    this.task.resume(completion);
  }

  protected onEnd(): void {
    this.task.giveBack(this);
  }

  /** Whether the step may still end. */
  get isOpen(): bool {
    return this.isUndecided && !this.member(0).token;
  }

  next(operation: AnyOperation): void {
    this.startMember(0, operation);
  }

  end(value: T): void {
    this.passValue(boxed<T>(value));
  }

  endAs(status: Status, message: string): void {
    this.fail(status, message);
  }
}
