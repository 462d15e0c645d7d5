// Arbitrary: random scripts of nested composite operations.

import * as fc from "fast-check";
import type { Answer, Op, Policy, Shared, Step } from "./script.ts";
import { operationsOf } from "./script.ts";

/** What a guest waits for takes so many milliseconds, or a multiple. */
export const UNIT_MS = 1_000;

const units = (most: number): fc.Arbitrary<number> => fc.nat(most).map((count) => count * UNIT_MS);
const deadline = units(16).map((ms) => (ms ? { deadline: ms } : {}));

const answer: fc.Arbitrary<Answer> = fc.record({
  // Never the same moment as anything else, as nobody promises who comes first then.
  ms: fc.tuple(fc.nat(9), fc.integer({ min: 1, max: UNIT_MS - 1 })).map(([count, rest]) => count * UNIT_MS + rest),
  status: fc.constantFrom(200, 200, 200, 200, 404, 503, 0),
});

const policy: fc.Arbitrary<Policy> = fc.record({
  attempts: fc.integer({ min: 0, max: 4 }),
  base: units(3),
  factor: fc.nat(3),
  cap: units(6),
  attempt: units(4),
  badStatus: fc.boolean(),
});

const call = fc.record({
  op: fc.constantFrom("get" as const, "page" as const, "fetch" as const),
  key: fc.constant(0),
  answers: fc.array(answer, { minLength: 1, maxLength: 3 }),
});

/** How many gates, channels, scopes and keys a script has. */
const SHARED = 2;
const index = fc.nat(SHARED - 1);

export const shared: fc.Arbitrary<Shared> = fc.record({
  gates: fc.array(fc.record({ limit: fc.nat(3), room: fc.nat(3) }), { minLength: SHARED, maxLength: SHARED }),
  channels: fc.array(fc.nat(2), { minLength: SHARED, maxLength: SHARED }),
});

/** Without those that wait for each other. */
const { plain } = fc.letrec<{ plain: Op; group: Op; leaf: Op }>((tie) => ({
  plain: fc.oneof({ maxDepth: 4, depthSize: "medium", withCrossShrink: true }, tie("leaf"), {
    arbitrary: tie("group"),
    weight: 2,
  }),
  leaf: withDeadline(
    fc.oneof(
      { arbitrary: call, weight: 4 },
      { arbitrary: fc.record({ op: fc.constant("timer" as const), ms: units(9) }), weight: 2 },
      // More than a timer takes: fails at once.
      fc.constant({ op: "timer" as const, ms: 0xffff_ffff }),
      fc.constant({ op: "noop" as const }),
    ),
  ),
  group: withDeadline(composite(tie("plain"))),
}));

function composite(of: fc.Arbitrary<Op>): fc.Arbitrary<Op> {
  const several = fc.array(of, { maxLength: 4 });
  const groups = ["gather", "settled", "race", "any", "sequence", "steps"] as const;
  return fc.oneof(
    { arbitrary: fc.record({ op: fc.constantFrom(...groups), of: several }), weight: 5 },
    fc.record({ op: fc.constant("retry" as const), policy, of }),
    fc.record({ op: fc.constant("fallback" as const), first: of, second: of }),
    fc.record(
      { op: fc.constant("hedge" as const), ms: units(6), first: of, second: of },
      { requiredKeys: ["op", "ms", "first"] },
    ),
    fc.record({ op: fc.constant("delay" as const), ms: units(4), of }),
    fc.record({ op: fc.constantFrom("map" as const, "ensure" as const), of }),
  );
}

function withDeadline(op: fc.Arbitrary<Op>): fc.Arbitrary<Op> {
  return fc
    .tuple(op, fc.oneof({ arbitrary: fc.constant({}), weight: 3 }, deadline))
    .map(([op, more]) => Object.assign({}, op, more));
}

/** With those that wait for each other too. */
const { any } = fc.letrec<{ any: Op; one: Op; leaf: Op }>((tie) => ({
  any: fc.oneof({ maxDepth: 4, depthSize: "medium", withCrossShrink: true }, tie("leaf"), {
    arbitrary: tie("one"),
    weight: 2,
  }),
  leaf: withDeadline(
    fc.oneof(
      { arbitrary: call, weight: 4 },
      fc.record({ op: fc.constant("timer" as const), ms: units(9) }),
      fc.constant({ op: "noop" as const }),
      { arbitrary: fc.record({ op: fc.constant("send" as const), channel: index, value: fc.nat(99) }), weight: 2 },
      { arbitrary: fc.record({ op: fc.constant("receive" as const), channel: index }), weight: 2 },
      fc.record({ op: fc.constant("join" as const), scope: index }),
    ),
  ),
  one: withDeadline(
    fc.oneof(
      { arbitrary: composite(tie("any")), weight: 4 },
      fc.record({ op: fc.constant("limit" as const), gate: index, of: tie("any") }),
      fc.record({ op: fc.constant("share" as const), key: index, of: tie("any") }),
      fc.record({ op: fc.constant("within" as const), scope: index, of: tie("any") }),
    ),
  ),
}));

type Draft = { operation: Op; next: Draft[] } | Exclude<Step, { do: "submit" }>;

const disturbance = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant("cancel" as const), number: fc.nat(9) }), weight: 4 },
  fc.record({ do: fc.constant("cancelScope" as const), scope: index }),
  fc.record({ do: fc.constant("closeChannel" as const), channel: index }),
);

function steps(op: fc.Arbitrary<Op>): fc.Arbitrary<Step[]> {
  const inner = fc.record({ operation: op, next: fc.array(disturbance, { maxLength: 1 }) });
  const next = fc.array(fc.oneof(disturbance, inner), { maxLength: 2 });
  const submission = fc.record({ operation: op, next });
  // A disturbance from outside, at any time.
  const later = fc.record({
    operation: units(20).map((ms) => ({ op: "timer" as const, ms })),
    next: fc.array(disturbance, { minLength: 1, maxLength: 3 }),
  });
  const detached = fc.record({ do: fc.constant("detach" as const), operation: op });
  const drafts = fc.array(
    fc.oneof({ arbitrary: submission, weight: 4 }, { arbitrary: later, weight: 2 }, disturbance, detached),
    { minLength: 1, maxLength: 6 },
  );
  return drafts.map(numbered);
}

/** Numbers the submissions, and gives each call a key of its own. */
function numbered(drafts: readonly Draft[]): Step[] {
  let number = 0;
  const stepsOf = (drafts: readonly Draft[]): Step[] =>
    drafts.map((draft) =>
      "do" in draft
        ? withoutBodies(draft)
        : { do: "submit", number: number++, operation: structuredClone(draft.operation), next: stepsOf(draft.next) },
    );
  const steps = stepsOf(drafts);
  let key = 1;
  for (const op of operationsOf(steps)) if ("answers" in op) op.key = key++;
  return steps;
}

/** A body that nobody takes would stay until the request has ended. */
function withoutBodies(step: Step): Step {
  if (step.do !== "detach") return step;
  const copy = structuredClone(step);
  for (const op of operationsOf([copy])) if (op.op === "fetch") op.op = "page";
  return copy;
}

export const plainSteps: fc.Arbitrary<Step[]> = steps(plain);
export const anySteps: fc.Arbitrary<Step[]> = steps(any);

/** A runtime of AssemblyScript. The garbage collector, which comes when it likes, comes before each turn in some. */
export const runtime = fc.constantFrom(
  {},
  { collects: "always" as const },
  // It sees no stack, so it may collect between two turns only.
  { runtime: "minimal" as const, collects: "turns" as const },
  { runtime: "stub" as const },
);
