// Choices: what handlers do in one turn, one choice after the other.
//
// A turn is taken again and again with other choices. The list of choices says which possibility a handler takes each
// time it has several; where the list ends it takes the first, which is to return.

import { Violation } from "./promises.ts";
import { NOBODY, Stage, nameOf } from "./state.ts";
import type { Entry, State } from "./state.ts";

/** The first six are the guest's; the same numbers are in test/guest/explorer/driven.ts. */
export enum Action {
  Return,
  Submit,
  SubmitAtOnce,
  Cancel,
  Throw,
  ThrowWhileEncoding,
  /** The platform warns that the CPU limit is near, so the next dispatch aborts. */
  Warn,
  /** Whoever is refused on this turn submits again each time, which ends in an abort. */
  Insist,
}

/** What every handler can choose, in this order; behind these come what some can, and cancels of what is in flight. */
const ACTIONS = [
  Action.Return,
  Action.Submit,
  Action.SubmitAtOnce,
  Action.Throw,
  Action.ThrowWhileEncoding,
  Action.Warn,
];

/** The first handler throws. */
export const THROW = [ACTIONS.indexOf(Action.Throw)];

/** Submissions that are refused one after the other, before the guest must have given up. */
const INSISTENCE_MAX = 32;

export class Choices {
  /** How many possibilities there were each time. */
  readonly arities: number[] = [];
  /** Whom the present action is about. */
  subject: Entry | undefined;
  /** Whether the guest has a reason to abort. */
  aborting = false;
  readonly #choices: readonly number[];
  readonly #state: State;
  #left: number;
  #insisting = false;
  #insistence = 0;
  /** The handler that has insisted last. */
  #insistent: Entry | undefined;

  /** `left` actions, at most, of all handlers together. */
  constructor(state: State, left: number, choices: readonly number[]) {
    this.#state = state;
    this.#left = left;
    this.#choices = choices;
  }

  /** What the handler of `running` does next. */
  next(running: Entry): Action {
    if (this.#insisting) return this.#insist(running);
    if (this.#left === 0) return Action.Return;
    const actions = running.stage === Stage.Refused ? [...ACTIONS, Action.Insist] : ACTIONS;
    const victims = this.#state.entries.filter(({ identity, cancelled }) => identity !== NOBODY && !cancelled);
    const choice = this.#choose(actions.length + victims.length);
    const action = actions[choice] ?? Action.Cancel;
    this.subject = victims[choice - actions.length];
    this.#state.log?.(`    ${Action[action]}${this.subject ? ` ${nameOf(this.subject)}` : ""}`);
    if (action === Action.Return) return action;
    this.#left--;
    if (action === Action.Insist) return this.#insist(running);
    if (action === Action.Throw || action === Action.ThrowWhileEncoding) this.aborting = true;
    return action;
  }

  #choose(arity: number): number {
    this.arities.push(arity);
    return this.#choices[this.arities.length - 1] ?? 0;
  }

  /** Each refused handler submits once. The host stays full, so the guest must put an end to it. */
  #insist(running: Entry): Action {
    this.aborting = this.#insisting = true;
    if (this.#insistent === running) return Action.Return;
    this.#insistent = running;
    if (this.#insistence++ > INSISTENCE_MAX) throw new Violation("G11", "refused handlers go on for ever");
    return Action.Submit;
  }
}

/** The next list of choices, or none if these were the last. What was not chosen was 0. */
export function successor(choices: readonly number[], arities: readonly number[]): number[] | undefined {
  for (let last = arities.length - 1; last >= 0; last--) {
    const chosen = choices[last] ?? 0;
    if (chosen + 1 < arities[last]!) {
      return [...Array.from({ length: last }, (_, index) => choices[index] ?? 0), chosen + 1];
    }
  }
  return undefined;
}
