// Noop: completes on the next turn and does nothing else.

import { Opcode } from "../abi";
import { Completion } from "../completion-queue";
import { Operation } from "../operation";

export class Noop extends Operation<Completion> {
  constructor() {
    super(Opcode.Noop);
  }
}

/** An operation that completes with Ok on the next turn: lets other handlers run first. */
export function noop(): Noop {
  return new Noop();
}
