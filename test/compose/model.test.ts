// Composite operations against the model: random scripts of one request, with cancels at any time, and deadlines.

import * as fc from "fast-check";
import { test } from "vitest";
import { anySteps, plainSteps, shared } from "./arbitrary.ts";
import { compare } from "./compare.ts";

const RUNS = Number(process.env["RUNS"] ?? 300);

test("groups, retries and tasks do what the model says", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(shared, plainSteps, async (shared, steps) => void fc.pre(await compare(shared, steps))),
    { numRuns: RUNS },
  );
});

test("gates, channels, scopes and shared operations do what the model says", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(shared, anySteps, async (shared, steps) => void fc.pre(await compare(shared, steps))),
    { numRuns: RUNS },
  );
});
