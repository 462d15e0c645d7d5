// What a composite is compared with: the same of promises, as one writes it by hand.

import pLimit from "p-limit";

export type Kind = "gather" | "race" | "retry" | "limit";

async function nothing(): Promise<void> {
  await Promise.resolve();
}

/** Runs rounds of `batch` members until `count` have ended. */
export async function composePromises(kind: Kind, count: number, batch: number): Promise<void> {
  const round = rounds[kind];
  for (let done = 0; done < count; done += batch) await round(batch);
}

const calls = (batch: number): Promise<void>[] => Array.from({ length: batch }, nothing);
const limit = pLimit(8);

const rounds: Record<Kind, (batch: number) => Promise<unknown>> = {
  gather: (batch) => Promise.all(calls(batch)),
  race: (batch) => Promise.race(calls(batch)),
  limit: (batch) => Promise.all(Array.from({ length: batch }, () => limit(nothing))),
  retry: async () => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await nothing();
      } catch (error) {
        if (attempt === 3) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** (attempt - 1)));
      }
    }
  },
};
