// Perform: runs checks against a host, one after the other, since the upstream counts for all of them together.

import { eventually } from "./check.ts";
import type { Check, Subject } from "./check.ts";
import { Difference } from "./expect.ts";

export type Outcome =
  | { readonly name: string; readonly is: "ok" }
  | { readonly name: string; readonly is: "FAILED"; readonly difference: string }
  | { readonly name: string; readonly is: "skipped"; readonly reason: string };

/** A check that a host cannot pass: how its name begins, and why. */
export interface Skip {
  readonly check: string;
  readonly reason: string;
}

export async function* perform(
  checks: readonly Check[],
  subject: Subject,
  skips: readonly Skip[] = [],
): AsyncGenerator<Outcome> {
  for (const check of checks) {
    const { name } = check;
    const reason = reasonToSkip(check, subject, skips);
    yield reason === undefined ? await attempt(check, subject) : { name, is: "skipped", reason };
  }
}

function reasonToSkip({ name, need }: Check, subject: Subject, skips: readonly Skip[]): string | undefined {
  if (need && !subject[need]) return need === "start" ? "the suite has not started this server" : "there is no address";
  return skips.find(({ check }) => name.startsWith(check))?.reason;
}

async function attempt({ name, run }: Check, subject: Subject): Promise<Outcome> {
  try {
    // What an earlier check has left at the upstream must not count for this one.
    await eventually("requests left by the check before", async () => (await subject.stats()).active, 0);
    await subject.resetStats();
    await run(subject);
    return { name, is: "ok" };
  } catch (error) {
    return { name, is: "FAILED", difference: error instanceof Difference ? error.message : causes(error) };
  }
}

/** An error with what caused it: `fetch failed` alone says nothing. */
function causes(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? String(error) : `${error}\nbecause of ${causes(error.cause)}`;
}
