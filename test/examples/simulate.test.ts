// Every example in worlds that are as unfriendly as can be: faults, kills, callers who leave. The simulator looks whether
// every promise is kept, and whether anything is left behind.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { path } from "../../scripts/paths.ts";
import { simulate } from "../../src/testing/index.ts";
import type { SimulateOptions } from "../../src/testing/index.ts";
import { asyncify } from "../../tools/asyncify.ts";
import { EXAMPLES, grantsOf, moduleOf } from "./example.ts";

const TARGETS: Record<string, string[]> = {
  basics: ["/visits", "/welcome", "/order"],
  concurrency: ["/?reads=20&limit=3"],
  files: ["/", "/nothing.txt", "/large/film"],
  "gather-files": ["/all?files=a.txt,b.txt", "/all?files=a.txt,no.txt", "/found?files=a.txt,no.txt,b.txt"],
  hosts: ["/ada", "/nobody"],
  limit: ["/items", "/workers"],
  pipeline: ["/handlers?users=1,2,3,4", "/then?users=1,2,3,4", "/task?users=1,2,3,4", "/await?users=1,2,3,4"],
  retry: ["/page", "/other"],
  "slow-handlers": ["/slices", "/at-once", "/other"],
  styles: ["/submit/greeting", "/then/greeting", "/await/greeting"],
};

const ISOLATIONS = ["request", "pooled", "shared"] as const;
const SEEDS = [1, 2, 3, 4];

/** Found something: a request waited so long at a gate, for others that had been killed, that the host ended its wait. */
const REGRESSIONS: [string, SimulateOptions][] = [["limit", { seed: 16, isolation: "shared", requests: 6 }]];

/** The module of an example. One with fibers is put through Asyncify, since the simulator knows nothing of them. */
async function plainModuleOf(name: string): Promise<WebAssembly.Module> {
  const module = await moduleOf(name);
  if (!WebAssembly.Module.exports(module).some((exported) => exported.name === "run_fiber")) return module;
  return WebAssembly.compile(new Uint8Array(asyncify(readFileSync(path("examples", name, "guest.wasm")))));
}

async function run(module: WebAssembly.Module, name: string, options: SimulateOptions): Promise<void> {
  const targets = TARGETS[name]!;
  const { answers } = await simulate(module, {
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
  const module = await plainModuleOf(name);
  for (const isolation of ISOLATIONS) {
    for (const seed of SEEDS) await run(module, name, { seed, isolation, requests: 6 });
  }
});

test.for(REGRESSIONS)("simulate: %s, in a world where it found something", async ([name, options]) => {
  await run(await plainModuleOf(name), name, options);
});
