// Host: what contexts and instances need of the proactor that owns them.

import type { Clock } from "./deadlines.ts";
import type { Instance } from "./instance.ts";
import type { Limits } from "./limits.ts";
import type { ErrorReport } from "./report.ts";
import type { RequestContext } from "./request-context.ts";

/** How many of each there have been, or are now. */
export interface Counters {
  /** Requests that have not ended, now. */
  contexts: number;
  /** Operations admitted and not yet delivered, now; an instance's accept is one. */
  inFlight: number;
  /** Final completions delivered. */
  completed: number;
  /** Submissions refused because a limit was reached. */
  refused: number;
  /** Results that came after their operation had ended; disposed of. */
  late: number;
  /** Completions of ended contexts, by which the guest's slots were freed. */
  reclaimed: number;
  /** Turns that ended in a trap. */
  traps: number;
  /** Requests that ended before they were answered: the platform or their client ended them. */
  killed: number;
  /** Instances that exist, now. */
  instances: number;
  /** Instances made since the start. */
  instantiated: number;
}

export function newCounters(): Counters {
  return {
    contexts: 0,
    inFlight: 0,
    completed: 0,
    refused: 0,
    late: 0,
    reclaimed: 0,
    traps: 0,
    killed: 0,
    instances: 0,
    instantiated: 0,
  };
}

/** How a host shuts down: what is in flight completes before, or at once. */
export type Shutdown = "graceful" | "now";

export interface Host {
  readonly shutdownMode: Shutdown | undefined;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly counters: Counters;
  report(report: ErrorReport): void;
  /** Looks for requests that the platform has ended without a word. Waits by timers of the current context. */
  callTheRoll(): void;
  /** A turn of this context ended in a trap: the module threw `cause`, or cannot run because of it. */
  trapped(context: RequestContext, cause: unknown): void;
  /** Gives a turn to those that may wait for what an ended request held. */
  owed(instance: Instance): void;
  /** This context has ended. */
  release(context: RequestContext): void;
}
