// Promises: what the explorer checks, by the names that docs/guarantees.md gives them, and how often it has done so.

export const PROMISES = {
  G1: "no handler starts inside a submission or an import",
  G2: "one handler at a time; a nested run is refused",
  G3: "each submission is answered exactly once, by its own handler",
  G4: "a refused submission hears Again on the same turn; no slot is lost",
  G5: "submissions say what was asked for; more memory changes nothing",
  G6: "the slot is free when its handler starts",
  G7: "a cancel says Won, TooLate or Unknown, and Won is kept",
  G8: "a result that nobody sees is closed exactly once",
  G9: "the turn after a trap takes everything back, and its shadow stack",
  G10: "handlers are called in the order of the completions",
  G11: "a turn takes no more than its budget",
  G12: "a time-out arrives as one",
  G13: "everything can be ended at once, and nothing is left",
  G20: "stale, duplicate and forged completions change nothing",
} as const;

export type Promised = keyof typeof PROMISES;

/** Of groups; see groups/. */
export const GROUP_PROMISES = {
  G1: "no handler on the turn that submits, unless the host refuses",
  G3: "each group completes exactly once, and none whose request has ended",
  G7: "a cancel of a group says Won or TooLate, and Won is kept",
  G8: "every resource is handed over or closed, once, in its own context",
  G9: "the turn after a trap takes everything back, and its shadow stack",
  G13: "at the end no slot is taken and nothing is in flight",
  G16: "a group's result is its members', of whom none is left in flight",
  G17: "at most so many attempts",
  G18: "never more inside a gate, never fewer while somebody waits, in order",
  G19: "each group is answered in its own context",
  G21: "failures that a group drops are reported",
} as const;

export type GroupPromised = keyof typeof GROUP_PROMISES;

/** A promise that does not hold. */
export class Violation extends Error {
  override readonly name = "Violation";

  constructor(
    readonly promised: Promised | GroupPromised,
    message: string,
  ) {
    super(`${promised} ${message}`);
  }
}

export class Checks<P extends Promised | GroupPromised = Promised> {
  readonly counts: Record<P, number>;

  constructor(promises: Readonly<Partial<Record<Promised | GroupPromised, string>>> = PROMISES) {
    this.counts = Object.fromEntries(Object.keys(promises).map((name) => [name, 0])) as Record<P, number>;
  }

  /** Counts one check. `message` says what is wrong; a function, because most checks pass. */
  that(holds: boolean, promised: P, message: () => string): void {
    this.counts[promised]++;
    if (!holds) throw new Violation(promised, message());
  }
}
