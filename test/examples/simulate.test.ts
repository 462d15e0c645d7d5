// Every example in worlds that are as unfriendly as can be: faults, kills, callers who leave. The simulator looks whether
// every promise is kept, and whether anything is left behind.

import { expect, test } from "vitest";
import { simulate } from "../../src/testing/index.ts";
import type { SimulateOptions } from "../../src/testing/index.ts";
import { EXAMPLES, grantsOf, moduleOf } from "./example.ts";

const TARGETS: Record<string, string[]> = {
  basics: ["/visits", "/welcome", "/order"],
  concurrency: ["/?reads=20&limit=3"],
  files: ["/", "/nothing.txt", "/large/film"],
  "gather-files": ["/all?files=a.txt,b.txt", "/all?files=a.txt,no.txt", "/found?files=a.txt,no.txt,b.txt"],
  hosts: ["/ada", "/nobody"],
  limit: ["/items", "/workers"],
  pipeline: ["/handlers?users=1,2,3,4", "/then?users=1,2,3,4", "/task?users=1,2,3,4"],
  retry: ["/page", "/other"],
  styles: ["/submit/greeting", "/then/greeting"],
};

const ISOLATIONS = ["request", "pooled", "shared"] as const;
const SEEDS = [1, 2, 3, 4];

/** Found something: a request waited so long at a gate, for others that had been killed, that the host ended its wait. */
const REGRESSIONS: [string, SimulateOptions][] = [["limit", { seed: 16, isolation: "shared", requests: 6 }]];

async function run(name: string, options: SimulateOptions): Promise<void> {
  const targets = TARGETS[name]!;
  const { answers } = await simulate(await moduleOf(name), {
    ...options,
    request: (index) => new Request(`http://localhost${targets[index % targets.length]}`),
    resources: (world) =>
      grantsOf(name, world, () => new Response("x", { status: world.random.chance(0.3) ? 503 : 200 })),
  });
  expect(answers.length).toBeGreaterThan(0);
}

test("simulate: knows what to ask of every example", () => {
  expect(Object.keys(TARGETS).toSorted()).toEqual(EXAMPLES);
});

test.for(EXAMPLES)("simulate: %s keeps every promise, whatever the world does", async (name) => {
  for (const isolation of ISOLATIONS) {
    for (const seed of SEEDS) await run(name, { seed, isolation, requests: 6 });
  }
});

test.for(REGRESSIONS)("simulate: %s, in a world where it found something", ([name, options]) => run(name, options));
