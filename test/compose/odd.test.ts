// What nobody should write has an answer too, on every runtime of AssemblyScript.

import { describe, expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { Odd } from "../guest/support/composite.ts";
import type { Op, Shared, Step } from "./script.ts";
import { Stage } from "./stage.ts";
import type { StageOptions } from "./stage.ts";

const NOTHING: Shared = { gates: [{ limit: 0, room: 5 }], channels: [0] };
const DEPTH = 10_000;

const submit = (number: number, operation: Op, next: Step[] = []): Step => ({ do: "submit", number, operation, next });
const cancel = (number: number): Step => ({ do: "cancel", number });
const timer = (ms: number): Op => ({ op: "timer", ms });

const statuses = (stage: Stage) => stage.entries.map(({ number, results }) => [number, Status[results[0]!]]);

describe.for([undefined, "minimal", "stub"] as const)("runtime %s", (runtime) => {
  async function play(steps: Step[], options: StageOptions = {}): Promise<Stage> {
    const stage = await Stage.on({ runtime, ...options });
    stage.send(NOTHING, steps);
    await stage.settle();
    expect(stage.leftovers()).toEqual([]);
    return stage;
  }

  test("groups of nothing complete on the next turn", async () => {
    const groups = (["gather", "settled", "race", "any", "sequence", "steps"] as const).map((op): Op => ({
      op,
      of: [],
    }));
    const stage = await play([
      ...groups.map((group, number) => submit(number, group)),
      // Submitted before any handler has run.
      submit(6, { op: "noop" }),
    ]);
    expect(statuses(stage).toSorted()).toEqual([
      [0, "Ok"],
      [1, "Ok"],
      [2, "Invalid"],
      [3, "Invalid"],
      [4, "Ok"],
      [5, "Ok"],
      [6, "Ok"],
    ]);
    expect(stage.entries.map(({ results }) => results.length)).toEqual(Array.from({ length: 7 }, () => 5));
  });

  test("a gate that lets nothing through, and an attempt of none, are invalid", async () => {
    const policy = { attempts: 0, base: 1, factor: 1, cap: 1, attempt: 0, badStatus: false };
    const stage = await play([
      submit(0, { op: "limit", gate: 0, of: timer(1) }),
      submit(1, { op: "retry", policy, of: timer(1) }),
    ]);
    expect(statuses(stage)).toEqual([
      [0, "Invalid"],
      [1, "Invalid"],
    ]);
  });

  test.for([
    [Odd.FactorNan, 0],
    [Odd.FactorNegative, 0],
    [Odd.SpreadNan, 0],
    [Odd.SpreadTwo, 0],
    [Odd.CapEndless, 0],
    // Three attempts, and two waits: of no time, and of what the cap allows.
    [Odd.FactorInfinite, 2],
    [Odd.BaseEndless, 2],
  ] as const)("policy %i is invalid, or ends after its attempts", async ([odd, dropped]) => {
    const stage = await play([{ do: "odd", number: 0, odd, next: [] }]);
    expect(statuses(stage)).toEqual([[0, "Invalid"]]);
    expect(stage.reports.length).toBe(dropped);
    expect(stage.entries[0]!.at).toBe(odd === Odd.BaseEndless ? 2000 : 0);
  });

  test("times that no timer takes are invalid", async () => {
    const stage = await play([
      { do: "odd", number: 0, odd: Odd.AttemptEndless, next: [] },
      { do: "odd", number: 1, odd: Odd.DeadlineEndless, next: [] },
    ]);
    expect(statuses(stage)).toEqual([
      [0, "Invalid"],
      [1, "Invalid"],
    ]);
  });

  test("jitter shortens each wait by no more than its part", async () => {
    const stage = await play([{ do: "odd", number: 0, odd: Odd.Jitter, next: [] }]);
    const times = [...stage.reports.map(({ at }) => at), stage.entries[0]!.at];
    const waits = times.slice(1).map((at, index) => at - times[index]!);
    expect(waits.length).toBe(49);
    for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(500);
    for (const wait of waits) expect(wait).toBeLessThanOrEqual(1000);
    expect(new Set(waits).size).toBeGreaterThan(20);
  });

  test("a gather, a race and a sequence of three thousand", async () => {
    const of = Array.from({ length: 3_000 }, (_, index): Op => (index % 2 ? timer(7) : { op: "noop" }));
    const stage = await play([
      submit(0, { op: "gather", of }),
      submit(1, { op: "race", of }),
      submit(2, { op: "sequence", of: of.map(() => ({ op: "noop" })) }),
      submit(3, { op: "gather", of }),
      cancel(3),
      submit(9, timer(50), [{ do: "count" }]),
    ]);
    expect(statuses(stage).toSorted()).toEqual([
      [0, "Ok"],
      [1, "Ok"],
      [2, "Ok"],
      [3, "Cancelled"],
      [9, "Ok"],
    ]);
    const [results] = stage.entries.filter(({ number }) => number === 0).map(({ results }) => results);
    expect(results!.length).toBe(5 * 3_001);
    expect(stage.counts).toMatchObject([{ inFlight: 1 }]);
  });

  test("a thousand fallbacks are tried one after the other, though the host refuses all of them", async () => {
    const deep: Step = { do: "deep", number: 0, kind: "fallback", depth: 1_000, operation: { op: "noop" }, next: [] };
    const stage = await play([deep], { limits: { inFlight: 1 } });
    expect(statuses(stage)).toEqual([[0, "Again"]]);
    expect(stage.reports.length).toBe(1_000);
    expect(new Set(stage.reports.map(({ kind }) => kind))).toEqual(new Set(["dropped"]));
  });

  test("a task that is in flight is not begun again", async () => {
    const stage = await play([{ do: "odd", number: 0, odd: Odd.TaskTwice, next: [] }]);
    expect(statuses(stage)).toEqual([
      [0, "Invalid"],
      [0, "Ok"],
    ]);
  });

  test.for([
    [Odd.EndsWithNothing, "every step ends with next, done or fail"],
    [Odd.EndsWithNothingLater, "every step ends with next, done or fail"],
    [Odd.EndsTwice, "a task's step ends once, with next, done, fail or failAs"],
    [Odd.GoesOnAfterItsEnd, "a task's step ends once, with next, done, fail or failAs"],
    [Odd.FailsWithSuccess, "fail: the status of a failure is negative"],
    [Odd.FailsAsSuccess, "failAs: this has not failed"],
    [Odd.ValueOfFailure, "a failed operation has no value: look at `failed` first"],
    [Odd.ResultOutOfRange, "there is no such result: look at `failed` and `count` first"],
    [Odd.ResultBelowZero, "there is no such result: look at `failed` and `count` first"],
    [Odd.ResultOfFailure, "there is no such result: look at `failed` and `count` first"],
  ] as const)("mistake %i traps, and says why", async ([odd, why]) => {
    const stage = await Stage.on({ runtime, isolation: "shared" });
    stage.send(NOTHING, [{ do: "odd", number: 0, odd, next: [] }]);
    await stage.settle();
    expect(stage.reports).toMatchObject([{ kind: "trap", message: expect.stringContaining(why) }]);
    expect(stage.words).toEqual([]);
    // The instance serves on, and holds nothing of it.
    stage.send(NOTHING, [submit(1, timer(5), [{ do: "count" }])]);
    await stage.settle();
    expect(stage.counts).toMatchObject([{ inFlight: 1 }]);
    expect(stage.proactor.counters.instantiated).toBe(1);
    expect(stage.leftovers()).toEqual([]);
  });

  test("a task that fails as one of a gather's members has that one's message", async () => {
    const stage = await play([{ do: "odd", number: 0, odd: Odd.FailsAsMember, next: [] }]);
    expect(stage.words).toEqual([1]);
  });

  test("cancelling twice, from a handler, and what has completed, changes nothing more", async () => {
    const race: Op = { op: "race", of: [timer(5), timer(9)] };
    const stage = await play([
      submit(0, race, [cancel(0), cancel(0)]),
      submit(1, race, [cancel(1)]),
      submit(2, timer(3), [cancel(1), cancel(1), cancel(2)]),
      submit(3, timer(4), [cancel(1)]),
      submit(4, race),
      cancel(4),
      cancel(4),
      submit(5, timer(20), [{ do: "count" }]),
    ]);
    expect(stage.entries.map(({ at, number, results }) => [at, number, Status[results[0]!]])).toEqual([
      [0, 4, "Cancelled"],
      [3, 2, "Ok"],
      [3, 1, "Cancelled"],
      [4, 3, "Ok"],
      [5, 0, "Ok"],
      [20, 5, "Ok"],
    ]);
    expect(stage.counts).toMatchObject([{ inFlight: 1 }]);
  });

  test.for(["gather", "race", "retry", "steps", "within", "fallback"] as const)(
    "%s ten thousand times inside itself starts, completes, and is cancelled",
    async (kind) => {
      const deep = (number: number, ms: number): Step => ({
        do: "deep",
        number,
        kind,
        depth: DEPTH,
        operation: timer(ms),
        next: [],
      });
      const count = submit(9, timer(50), [{ do: "count" }]);
      const completes = await play([deep(0, 10), count]);
      expect(completes.entries.map(({ at, number, results }) => [at, number, results[0]])).toEqual([
        [10, 0, Status.Ok],
        [50, 9, Status.Ok],
      ]);
      const isCancelled = await play([deep(0, 20), submit(1, timer(10), [cancel(0)]), count]);
      expect(isCancelled.entries.map(({ at, number, results }) => [at, number, results[0]])).toEqual([
        [10, 1, Status.Ok],
        [10, 0, Status.Cancelled],
        [50, 9, Status.Ok],
      ]);
      const atOnce = await play([deep(0, 20), cancel(0), count]);
      expect(atOnce.entries.map(({ at, number, results }) => [at, number, results[0]])).toEqual([
        [0, 0, Status.Cancelled],
        [50, 9, Status.Ok],
      ]);
      for (const { counts } of [completes, isCancelled, atOnce]) expect(counts).toMatchObject([{ inFlight: 1 }]);
    },
  );
});
