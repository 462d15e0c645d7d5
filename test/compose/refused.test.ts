// Composite operations on a host that admits only a few at once, or shuts down: every handler is called, and nothing is lost.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { UNIT_MS, anySteps, shared } from "./arbitrary.ts";
import type { Step } from "./script.ts";
import { Stage } from "./stage.ts";
import type { Report } from "./stage.ts";

const RUNS = Number(process.env["RUNS"] ?? 200);

/** The numbers of the submissions that were made, if all handlers named here were called. */
function* submitted(steps: Step[], called: ReadonlySet<number>): Generator<number> {
  for (const step of steps) {
    if (step.do !== "submit") continue;
    yield step.number;
    if (called.has(step.number)) yield* submitted(step.next, called);
  }
}

/** Of what nobody has submitted, and whose failure would say nothing to anybody. */
const isInternal = ({ kind, operation }: Report): boolean =>
  kind === "trap" || ["report", "wait", "wake", "close", "cancel"].includes(operation ?? "");

test("refused: every handler is called once, whatever the host refuses", { timeout: 600_000 }, async () => {
  let refused = 0;
  const property = fc.asyncProperty(
    fc.integer({ min: 2, max: 9 }),
    shared,
    anySteps,
    async (inFlight, shared, steps) => {
      const stage = await Stage.on({ isolation: "pooled", limits: { inFlight, waitMs: 50 * UNIT_MS } });
      stage.send(shared, steps);
      await stage.settle();
      const numbers = stage.entries.map(({ number }) => number);
      expect(numbers.toSorted()).toEqual([...submitted(steps, new Set(numbers))].toSorted());
      expect(stage.reports.filter(isInternal)).toEqual([]);
      expect(stage.leftovers()).toEqual([]);
      // The same instance says that it has the accept in flight, and its answer.
      stage.send(shared, [{ do: "count" }]);
      await stage.settle();
      expect(stage.counts).toMatchObject([{ inFlight: 2, running: 0, waiting: 0 }]);
      expect(stage.proactor.counters.instantiated).toBe(1);
      if (stage.entries.some(({ results }) => results[0] === Status.Again)) refused++;
    },
  );
  await fc.assert(property, { numRuns: RUNS });
  expect(refused).toBeGreaterThan(RUNS / 20);
});

test.for(["graceful", "now"] as const)(
  "shutdown: every handler is called once, and nothing is left, %s",
  { timeout: 600_000 },
  async (mode) => {
    let ended = 0;
    const property = fc.asyncProperty(fc.nat(20 * UNIT_MS), shared, anySteps, async (at, shared, steps) => {
      const stage = await Stage.on({ isolation: "pooled", limits: { waitMs: 50 * UNIT_MS } });
      stage.send(shared, steps);
      await stage.simulation.advance(at);
      const shutdown = stage.proactor.shutdown(mode);
      await stage.settle();
      await shutdown;
      const numbers = stage.entries.map(({ number }) => number);
      expect(numbers.toSorted()).toEqual([...submitted(steps, new Set(numbers))].toSorted());
      expect(stage.reports.filter(isInternal)).toEqual([]);
      expect(stage.leftovers()).toEqual([]);
      expect(stage.proactor.counters).toMatchObject({ contexts: 0, inFlight: 0, instances: 0 });
      if (stage.entries.some(({ results }) => results[0] === Status.ShutDown)) ended++;
    });
    await fc.assert(property, { numRuns: RUNS });
    expect(ended).toBeGreaterThan(RUNS / 20);
  },
);
