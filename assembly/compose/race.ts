// Race: several operations at once; completes with the first result. Any: with the first success.

import { Status } from "../abi";
import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { AnyOperation, Operation } from "../operation";
import { Composite, newComposite } from "./composite";

class RaceFlight extends Composite {
  operations!: AnyOperation[];
  needsSuccess: bool;
  private left: u32;

  protected get name(): string {
    return this.needsSuccess ? "any" : "race";
  }

  protected start(): void {
    this.left = this.memberCount;
    if (!this.left) this.fail(Status.Invalid, "there is nothing to choose from");
    for (let i: u32 = 0; i < this.memberCount; i++) this.startMember(i, this.operations[i]);
  }

  protected onMember(_index: u32, completion: Completion): void {
    if (this.needsSuccess && completion.failed && --this.left) this.drop(completion);
    else this.pass(completion);
  }
}

export class Race<R> extends Operation<R> {
  constructor(
    private operations: Operation<R>[],
    private needsSuccess: bool,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const operations = changetype<AnyOperation[]>(this.operations);
    const flight = newComposite<RaceFlight>(handler, operations.length);
    flight.operations = operations;
    flight.needsSuccess = this.needsSuccess;
    return flight.begin(this.deadline_ms);
  }
}

/** Runs operations at once and completes as the first does, success or failure; the others are cancelled. */
export function race<R>(operations: Operation<R>[]): Race<R> {
  return new Race<R>(operations, false);
}

/** Runs operations at once and completes with the first success, or with the last failure; the others are cancelled. */
export function any<R>(operations: Operation<R>[]): Race<R> {
  return new Race<R>(operations, true);
}
