// Map: an operation whose result is turned into a value. Ensure: one whose result must be as its caller needs it.

import { Status } from "../abi";
import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { AnyOperation, Operation } from "../operation";
import { Composite, newComposite } from "./composite";
import { Value, boxed } from "./value";

class MapFlight<R, T> extends Composite {
  operation!: AnyOperation;
  fn!: (result: R) => T;

  protected get name(): string {
    return "map";
  }

  protected start(): void {
    this.startMember(0, this.operation);
  }

  protected onMember(_index: u32, completion: Completion): void {
    if (completion.failed) this.pass(completion);
    else this.passValue(boxed<T>(this.fn(changetype<R>(completion))));
  }
}

export class Mapping<R, T> extends Operation<Value<T>> {
  constructor(
    private operation: Operation<R>,
    private fn: (result: R) => T,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<MapFlight<R, T>>(handler, 1);
    flight.operation = this.operation;
    flight.fn = this.fn;
    return flight.begin(this.deadline_ms);
  }
}

class EnsureFlight extends Composite {
  operation!: AnyOperation;
  isGood!: (result: Completion) => bool;

  protected get name(): string {
    return "ensure";
  }

  protected start(): void {
    this.startMember(0, this.operation);
  }

  protected onMember(_index: u32, completion: Completion): void {
    if (completion.failed || this.isGood(completion)) return this.pass(completion);
    this.drop(completion);
    this.fail(Status.Failed, "the result is not what was asked for");
  }
}

export class Ensure<R> extends Operation<R> {
  constructor(
    private operation: Operation<R>,
    private isGood: (result: R) => bool,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<EnsureFlight>(handler, 1);
    flight.operation = this.operation;
    flight.isGood = changetype<(result: Completion) => bool>(this.isGood);
    return flight.begin(this.deadline_ms);
  }
}
