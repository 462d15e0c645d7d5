// What composite operations allocate, once the guest has run for a while.

import { expect, test } from "vitest";
import type { Op, Policy } from "./script.ts";
import { Stage } from "./stage.ts";

const ROUNDS = 200;
const SHARED = { gates: [{ limit: 1, room: 9 }], channels: [0, 1] };

const noop: Op = { op: "noop" };
const failing: Op = { op: "timer", ms: 0xffff_ffff };
const policy: Policy = { attempts: 2, base: 0, factor: 1, cap: 0, attempt: 0, badStatus: false };

/** How often each allocates when it is submitted, with all that is inside: once for each composite, and for a number as its value. */
const CASES: [what: string, expected: number, operation: Op][] = [
  ["an operation of the host's", 0, noop],
  ["gather", 1, { op: "gather", of: [noop, noop, noop] }],
  ["settled", 1, { op: "settled", of: [noop, noop] }],
  ["sequence", 1, { op: "sequence", of: [noop, noop] }],
  ["race", 1, { op: "race", of: [noop, { op: "timer", ms: 1 }] }],
  ["any", 1, { op: "any", of: [noop, { op: "timer", ms: 1 }] }],
  ["a deadline", 1, { op: "race", of: [noop], deadline: 5 }],
  ["retry", 1, { op: "retry", policy, of: noop }],
  ["fallback, whose first operation fails", 1, { op: "fallback", first: failing, second: noop }],
  ["hedge", 1, { op: "hedge", ms: 0, first: { op: "timer", ms: 2 } }],
  ["delay", 1, { op: "delay", ms: 1, of: noop }],
  ["ensure", 1, { op: "ensure", of: noop }],
  ["map to a number", 2, { op: "map", of: noop }],
  ["a task that ends with a number", 2, { op: "steps", of: [noop, noop] }],
  ["within", 1, { op: "within", scope: 0, of: noop }],
  ["limit", 1, { op: "limit", gate: 0, of: noop }],
  ["two at a gate for one", 3, { op: "gather", of: [1, 2].map(() => ({ op: "limit", gate: 0, of: noop })) }],
  // The task and its number, two flights, and the received number.
  [
    "a channel",
    5,
    {
      op: "steps",
      of: [
        { op: "send", channel: 1, value: 7 },
        { op: "receive", channel: 1 },
      ],
    },
  ],
  [
    "five of them, one inside the other",
    5,
    {
      op: "retry",
      policy,
      of: {
        op: "limit",
        gate: 0,
        of: { op: "within", scope: 0, of: { op: "delay", ms: 1, of: { op: "race", of: [noop] } } },
      },
    },
  ],
];

test.for(CASES)("memory: %s allocates %i times", async ([, expected, operation]) => {
  const stage = await Stage.on({ runtime: "stub" });
  stage.send(SHARED, [{ do: "rounds", rounds: ROUNDS, operation }]);
  await stage.settle();
  expect(stage.words).toEqual([(expected * ROUNDS) / 2]);
});

test("memory: share allocates once, beside what its map of keys needs", async () => {
  const stage = await Stage.on({ runtime: "stub" });
  stage.send(SHARED, [{ do: "rounds", rounds: ROUNDS, operation: { op: "share", key: 0, of: noop } }]);
  await stage.settle();
  // The map is built anew from time to time, with two arrays.
  expect(stage.words[0]).toBeLessThanOrEqual(ROUNDS);
});

test.for([undefined, "minimal"] as const)(
  "memory: what composites leave behind is collected, runtime %s",
  async (runtime) => {
    const stage = await Stage.on({ runtime, isolation: "pooled" });
    const rounds = async (count: number): Promise<number> => {
      for (const [, , operation] of CASES) stage.send(SHARED, [{ do: "rounds", rounds: count, operation }]);
      await stage.settle();
      return stage.memoryBytes;
    };
    const before = await rounds(1_000);
    expect(await rounds(8_000)).toBe(before);
  },
);
