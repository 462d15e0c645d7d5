// Slices: a long computation in pieces, with the handlers of others in between.

import { Completion } from "../completion-queue";
import { Token, expectMember } from "../handler-table";
import { Operation } from "../operation";
import { submitNoop } from "../operation/noop";
import { Composite, newComposite } from "./composite";

class SlicesFlight<C> extends Composite {
  context!: C;
  fn!: (context: C) => bool;

  protected get name(): string {
    return "slices";
  }

  /** The first piece too has a turn of its own. */
  protected start(): void {
    expectMember(0);
    this.addMember(0, submitNoop(this));
  }

  protected onMember(_index: u32, completion: Completion): void {
    if (completion.failed) this.pass(completion);
    else if (this.fn(this.context)) this.start();
    else this.succeed();
  }
}

export class Slices<C> extends Operation<Completion> {
  constructor(
    private context: C,
    private fn: (context: C) => bool,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<SlicesFlight<C>>(handler, 1);
    flight.context = this.context;
    flight.fn = this.fn;
    return flight.begin(this.deadline_ms);
  }
}

/**
 * Calls `fn(context)` once on each turn for as long as it returns true, and completes with Ok then. Other handlers and other
 * requests run in between, and a cancel or a deadline ends it between two pieces.
 */
export function slices<C>(context: C, fn: (context: C) => bool): Slices<C> {
  return new Slices<C>(context, fn);
}
