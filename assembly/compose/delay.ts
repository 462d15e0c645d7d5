// Delay: an operation that starts later.

import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { AnyOperation, Operation } from "../operation";
import { Composite, newComposite } from "./composite";

const TIMER: u32 = 0;
const OPERATION: u32 = 1;

class DelayFlight extends Composite {
  operation!: AnyOperation;
  ms: u32;

  protected get name(): string {
    return "delay";
  }

  protected start(): void {
    this.startTimer(TIMER, this.ms);
  }

  protected onMember(index: u32, completion: Completion): void {
    if (index == OPERATION || completion.failed) this.pass(completion);
    else this.startMember(OPERATION, this.operation);
  }
}

export class Delay<R> extends Operation<R> {
  constructor(
    private ms: u32,
    private operation: Operation<R>,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<DelayFlight>(handler, 2);
    flight.operation = this.operation;
    flight.ms = this.ms;
    return flight.begin(this.deadline_ms);
  }
}
