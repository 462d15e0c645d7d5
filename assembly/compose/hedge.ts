// Hedge: a second operation beside the first, when that takes long.

import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { AnyOperation, Operation } from "../operation";
import { Composite, newComposite } from "./composite";

const FIRST: u32 = 0;
const SECOND: u32 = 1;
const TIMER: u32 = 2;

class HedgeFlight extends Composite {
  first!: AnyOperation;
  second!: AnyOperation;
  ms: u32;
  private started: bool;
  private failed: bool;

  protected get name(): string {
    return "hedge";
  }

  protected start(): void {
    this.startMember(FIRST, this.first);
    this.startTimer(TIMER, this.ms);
  }

  protected onMember(index: u32, completion: Completion): void {
    if (index == TIMER) {
      // A host that is full has no timer to give, and none for a second attempt.
      if (!completion.failed) this.startSecond();
    } else if (!completion.failed || this.failed) {
      this.pass(completion);
    } else {
      this.failed = true;
      this.drop(completion);
      this.cancelMember(TIMER);
      this.startSecond();
    }
  }

  private startSecond(): void {
    if (this.started) return;
    this.started = true;
    this.startMember(SECOND, this.second);
  }
}

export class Hedge<R> extends Operation<R> {
  constructor(
    private ms: u32,
    private first: Operation<R>,
    private second: Operation<R>,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<HedgeFlight>(handler, 3);
    flight.first = this.first;
    flight.second = this.second;
    flight.ms = this.ms;
    return flight.begin(this.deadline_ms);
  }
}
