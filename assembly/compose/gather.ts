// Gather: several operations at once; completes with all their results.

import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { AnyOperation, Operation } from "../operation";
import { Composite, newComposite } from "./composite";

/** Results in the order of their operations. */
@unmanaged
export class Gathered<R> extends Completion {
  /** How many there are; none if the gather failed. */
  get count(): i32 {
    return this.failed ? 0 : this.payload_bytes / <i32>offsetof<Completion>();
  }

  /** The result of the operation at `index`. */
  at(index: i32): R {
    assert(<u32>index < <u32>this.count, "there is no such result: look at `failed` and `count` first");
    return changetype<R>(this.payload + <usize>index * offsetof<Completion>());
  }
}

class GatherFlight extends Composite {
  operations!: AnyOperation[];
  settles: bool;
  private left: u32;

  protected get name(): string {
    return "gather";
  }

  protected get gathers(): bool {
    return true;
  }

  protected start(): void {
    this.left = this.memberCount;
    if (!this.left) this.passMembers();
    for (let i: u32 = 0; i < this.memberCount; i++) this.startMember(i, this.operations[i]);
  }

  protected onMember(index: u32, completion: Completion): void {
    if (completion.failed && !this.settles) return this.pass(completion);
    this.keep(index, completion);
    if (--this.left == 0) this.passMembers();
  }
}

export class Gather<R> extends Operation<Gathered<R>> {
  constructor(
    private operations: Operation<R>[],
    private settles: bool,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const operations = changetype<AnyOperation[]>(this.operations);
    const flight = newComposite<GatherFlight>(handler, operations.length);
    flight.operations = operations;
    flight.settles = this.settles;
    return flight.begin(this.deadline_ms);
  }
}

/** Runs operations at once. Completes with all their results, or with the first failure; then the others are cancelled. */
export function gather<R>(operations: Operation<R>[]): Gather<R> {
  return new Gather<R>(operations, false);
}

/** Runs operations at once and completes with Ok when all have ended: each result tells how. */
export function gatherSettled<R>(operations: Operation<R>[]): Gather<R> {
  return new Gather<R>(operations, true);
}
