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

/** A promise that does not hold. */
export class Violation extends Error {
  override readonly name = "Violation";

  constructor(
    readonly promised: Promised,
    message: string,
  ) {
    super(`${promised} ${message}`);
  }
}

export class Checks {
  readonly counts = Object.fromEntries(Object.keys(PROMISES).map((name) => [name, 0])) as Record<Promised, number>;

  /** Counts one check. `message` says what is wrong; a function, because most checks pass. */
  that(holds: boolean, promised: Promised, message: () => string): void {
    this.counts[promised]++;
    if (!holds) throw new Violation(promised, message());
  }
}
