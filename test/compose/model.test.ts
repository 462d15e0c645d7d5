// Composite operations against the model: random scripts of one request, with cancels at any time, and deadlines.

import * as fc from "fast-check";
import { test } from "vitest";
import { anySteps, plainSteps, runtime, shared } from "./arbitrary.ts";
import { compare } from "./compare.ts";
import type { Step } from "./script.ts";

const RUNS = Number(process.env["RUNS"] ?? 300);
/** Longer only if there are more. */
const timeout = Math.max(120_000, RUNS * 50);

async function doAsTheModelSays(steps: fc.Arbitrary<Step[]>): Promise<void> {
  const property = fc.asyncProperty(shared, steps, runtime, async (shared, steps, options) => {
    fc.pre(await compare(shared, steps, options));
  });
  await fc.assert(property, { numRuns: RUNS });
}

test("groups, retries and tasks do what the model says", { timeout }, () => doAsTheModelSays(plainSteps));

test("gates, channels, scopes and shared operations do what the model says", { timeout }, () =>
  doAsTheModelSays(anySteps),
);
