// Sequence: operations one after the other; completes with all their results.

import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { AnyOperation, Operation } from "../operation";
import { Composite, newComposite } from "./composite";
import { Gathered } from "./gather";

class SequenceFlight extends Composite {
  operations!: AnyOperation[];
  private at: u32;

  protected get name(): string {
    return "sequence";
  }

  protected get gathers(): bool {
    return true;
  }

  protected start(): void {
    if (this.at == this.memberCount) this.passMembers();
    else this.startMember(this.at, this.operations[this.at]);
  }

  protected onMember(index: u32, completion: Completion): void {
    if (completion.failed) return this.pass(completion);
    this.keep(index, completion);
    this.at++;
    this.start();
  }
}

export class Sequence<R> extends Operation<Gathered<R>> {
  constructor(private operations: Operation<R>[]) {
    super(0);
  }

  begin(handler: usize): Token {
    const operations = changetype<AnyOperation[]>(this.operations);
    const flight = newComposite<SequenceFlight>(handler, operations.length);
    flight.operations = operations;
    return flight.begin(this.deadline_ms);
  }
}

/** Runs each operation when the one before has succeeded. Completes with all results, or with the first failure. */
export function sequence<R>(operations: Operation<R>[]): Sequence<R> {
  return new Sequence<R>(operations);
}
