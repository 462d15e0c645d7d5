// Completion ring: the completions of one context that wait for a turn, first in first out.
//
// A place has the name of the one whose completion it is, in numbers, and the completion, which is the same value for all
// that have nothing to say. So what is done as soon as it is submitted allocates nothing. A ring that is full grows, and
// stays as large as it ever was.

import type { Opcode } from "../assembly/abi.ts";
import { DONE } from "./completion.ts";
import type { Completion, Named } from "./completion.ts";

/** A name is three numbers in a row: slot, generation and opcode. */
export const NAME_LENGTH = 3;
/** A power of two, as every number of places. Few requests ever have more completions waiting. */
const PLACES_AT_START = 4;

export class CompletionRing {
  length = 0;
  /** Whether `poll` has told the guest that its arena is too small for the first. */
  demanded = false;
  #places = PLACES_AT_START;
  #first = 0;
  // Plain arrays, empty at first: a request's ring takes no more than the places that it comes to use.
  #names: number[] = [];
  #completions: Completion[] = [];

  push({ slot, generation, opcode }: Named, completion: Completion): void {
    if (this.length === this.#places) this.#grow();
    const place = (this.#first + this.length++) & (this.#places - 1);
    const name = place * NAME_LENGTH;
    const names = this.#names;
    names[name] = slot;
    names[name + 1] = generation;
    names[name + 2] = opcode;
    this.#completions[place] = completion;
  }

  /** Makes twice as many places, with the first one at the beginning. */
  #grow(): void {
    this.#names = this.#names.concat(this.#names.splice(0, this.#first * NAME_LENGTH));
    this.#completions = this.#completions.concat(this.#completions.splice(0, this.#first));
    this.#first = 0;
    this.#places *= 2;
  }

  /** The first completion. */
  get first(): Completion {
    return this.#completions[this.#first]!;
  }

  set first(completion: Completion) {
    this.#completions[this.#first] = completion;
  }

  /** Whose the first one is. */
  get firstName(): Named {
    return nameAt(this.#names, this.#first);
  }

  /**
   * Takes out the first, and those behind it that are the very same value, `most` at most. Writes their names into `names`,
   * from the place `at`, and returns how many they are.
   */
  shift(most: number, names: number[], at: number): number {
    const { first } = this;
    const end = Math.min(most, this.length);
    let count = 0;
    for (; count < end && this.first === first; count++) {
      const from = this.#first * NAME_LENGTH;
      const to = (at + count) * NAME_LENGTH;
      names[to] = this.#names[from]!;
      names[to + 1] = this.#names[from + 1]!;
      names[to + 2] = this.#names[from + 2]!;
      // A payload must not stay as long as its place.
      this.first = DONE;
      this.#first = (this.#first + 1) & (this.#places - 1);
    }
    this.length -= count;
    // One that is empty begins anew, and so seldom uses more than its first places.
    if (this.length === 0) this.#first = 0;
    this.demanded = false;
    return count;
  }
}

/** The name at a place. */
export function nameAt(names: readonly number[], place: number): Named {
  const at = place * NAME_LENGTH;
  return { slot: names[at]!, generation: names[at + 1]!, opcode: names[at + 2]! as Opcode };
}
