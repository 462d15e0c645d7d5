// Table: the guest's handler table as the explorer sees it from outside, by its memory and by cancels.

import { CancelResult } from "../../assembly/abi.ts";
import type { Machine } from "./machine.ts";
import { Violation } from "./promises.ts";
import type { Checks, Promised } from "./promises.ts";
import type { Entry } from "./state.ts";

/** What a slot's state is made of, as in assembly/handler-table.ts; a free slot has none of it. */
const IN_FLIGHT = 1;
const CANCELLED = 2;

/** The slots of the entries are in use, each in its state; all others are free, each once. */
export function checkTable(machine: Machine, entries: readonly Entry[], checks: Checks, promised: Promised): void {
  const fail = (message: string): never => {
    throw new Violation(promised, message);
  };
  for (const { slot, generation, cancelled } of entries) {
    const state = cancelled ? IN_FLIGHT | CANCELLED : IN_FLIGHT;
    if (machine.stateOf(slot) !== state) fail(`slot ${slot} is in state ${machine.stateOf(slot)}, not ${state}`);
    if (machine.generationOf(slot) !== generation) fail(`slot ${slot} has another generation than its operation`);
  }
  let free = 0;
  for (let slot = machine.firstFree; slot !== 0; slot = machine.nextOf(slot)) {
    if (machine.stateOf(slot) !== 0) fail(`slot ${slot} is in the free list and in state ${machine.stateOf(slot)}`);
    if (machine.handlerOf(slot) !== 0) fail(`slot ${slot} is free and holds a handler`);
    if (++free > machine.lastSlot) fail("the free list has a loop");
  }
  const [inFlight, used] = [machine.exports.inFlightCount(), machine.lastSlot - free];
  checks.that(inFlight === entries.length && used === inFlight, promised, () => {
    return `${entries.length} operations, but the guest counts ${inFlight}, and ${used} slots are not free`;
  });
}

/** Cancels by tokens that are not live: of earlier and later users of each slot, and of none. */
export function checkDeadTokens(machine: Machine, checks: Checks): void {
  const ask = (slot: number, generation: number, expected: CancelResult): void => {
    const result = machine.exports.probe(slot, generation);
    checks.that(result === expected, "G7", () => {
      return `a cancel of slot ${slot}, generation ${generation} answered ${CancelResult[result]}`;
    });
  };
  ask(0, 1, CancelResult.Unknown);
  ask(machine.lastSlot + 1, 1, CancelResult.Unknown);
  ask(-1, -1, CancelResult.Unknown);
  for (let slot = 1; slot <= machine.lastSlot; slot++) {
    const generation = machine.generationOf(slot);
    ask(slot, 0, CancelResult.Unknown);
    if (generation > 1) ask(slot, generation - 1, CancelResult.TooLate);
    if (machine.stateOf(slot) === 0) ask(slot, generation, CancelResult.Unknown);
    ask(slot, generation + 1, CancelResult.Unknown);
  }
}
