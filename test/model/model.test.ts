// The model in lock-step with the shipped guest library and the host: whatever happens, in whatever order, both do
// what the model says at every word, and after the end nothing is left. `RUNS=… SEED=…` runs longer, or otherwise.

import { assert, asyncProperty } from "fast-check";
import { test } from "vitest";
import { commands, play, settings } from "./commands.ts";

const RUNS = Number(process.env["RUNS"] ?? 300);

test.for(["request", "pooled", "shared"] as const)(
  "model: guest and host keep their promises, isolation %s",
  { timeout: 120_000 + RUNS * 100 },
  (isolation) => assert(asyncProperty(settings(isolation), commands(), play), { numRuns: RUNS }),
);
