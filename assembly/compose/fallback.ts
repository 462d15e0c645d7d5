// Fallback: another operation, when the first has failed.

import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { AnyOperation, Operation } from "../operation";
import { Composite, newComposite } from "./composite";

const FIRST: u32 = 0;
const SECOND: u32 = 1;

class FallbackFlight extends Composite {
  first!: AnyOperation;
  second!: AnyOperation;

  protected get name(): string {
    return "fallback";
  }

  protected start(): void {
    this.startMember(FIRST, this.first);
  }

  protected onMember(index: u32, completion: Completion): void {
    if (index == SECOND || !completion.failed) return this.pass(completion);
    this.drop(completion);
    this.startMember(SECOND, this.second);
  }
}

export class Fallback<R> extends Operation<R> {
  constructor(
    private first: Operation<R>,
    private second: Operation<R>,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<FallbackFlight>(handler, 2);
    flight.first = this.first;
    flight.second = this.second;
    return flight.begin(this.deadline_ms);
  }
}
