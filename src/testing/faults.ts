// Faults: what goes wrong in a simulated world, and how often.

import { checkProbability, completeObject } from "./checks.ts";
import type { Random } from "./random.ts";

/** Probabilities from 0 to 1: of a call, unless it says otherwise. */
export interface Faults {
  // The store.

  /** A KV call fails with 429. */
  kvRateLimited: number;
  /** A KV read sees the store as it was up to a minute ago. */
  kvStale: number;

  // The network.

  /** A fetch fails before there is a response. */
  network: number;
  /** A fetch is not answered at all, until it is aborted or the faults stop. */
  silence: number;
  /** A response's body breaks off in the middle. */
  bodyBroken: number;
  /** An aborted fetch goes on and answers all the same. */
  abortIgnored: number;

  // What the host is built on.

  /** A call of a store or an upstream settles, and then settles again, in both ways. */
  settledTwice: number;
  /** In any ten milliseconds: the process is busy for up to a second, so that what is due comes late. */
  stall: number;
  /** In this whole run the clock stands still, as far as host and guest can see, until the faults stop. */
  frozenClock: number;

  // The requests. Only `simulate` has these.

  /** A request is ended by the platform without a word: its caller left, or its time was up. */
  killed: number;
  /** A caller leaves while the answer's body is on its way. */
  left: number;

  // The border. Only `simulate` has these.

  /** The guest's memory grows during a call of an import. */
  growth: number;
  /** A module that exports `__collect` collects its garbage before a turn. */
  collection: number;
  /** `poll` brings completions besides that are duplicates, or that nobody has waited for. */
  forged: number;
  /** An import calls `run`, which must refuse. */
  nestedRun: number;
}

/** The highest that a seed goes by itself: so often that it happens, so seldom that some requests get through. */
const MOST: Faults = {
  kvRateLimited: 0.3,
  kvStale: 0.5,
  network: 0.3,
  silence: 0.2,
  bodyBroken: 0.4,
  abortIgnored: 1,
  settledTwice: 1,
  stall: 0.1,
  frozenClock: 0.3,
  killed: 0.3,
  left: 0.3,
  growth: 0.05,
  collection: 0.2,
  forged: 0.3,
  nestedRun: 0.05,
};

export const FAULTS = Object.keys(MOST) as (keyof Faults)[];

/** These faults, and no others. Throws a TypeError, or a RangeError, that names what is wrong. */
export function onlyFaults(faults: Partial<Faults> = {}): Faults {
  const none = Object.fromEntries(FAULTS.map((name) => [name, 0])) as unknown as Faults;
  const completed = completeObject("faults", faults, none);
  for (const name of FAULTS) checkProbability(`faults.${name}`, completed[name]);
  return completed;
}

/** Some faults, seldom or often. Not all at once: what fails at its first step never reaches the second. */
export function someFaults(random: Random): Faults {
  const faults = onlyFaults();
  for (const name of FAULTS) if (random.chance(0.4)) faults[name] = random.next() * MOST[name];
  return faults;
}

/** What happened to whom: "network" to "GET https://api.example.com/page", "kvStale" to "get /page". */
export interface Struck {
  fault: keyof Faults;
  what: string;
}
