// The explorer itself: it finds nothing in the library as it is, and a bug where one was planted.

import { beforeAll, expect, test } from "vitest";
import { explore } from "./explorer.ts";
import type { ExploreOptions } from "./explorer.ts";
import { compileVariant } from "./variant.ts";
import type { Patch, Variant } from "./variant.ts";

const options: ExploreOptions = { capacity: 1, actions: 1, fresh: false, states: 600 };

let variant: Variant;

beforeAll(async () => {
  variant = await compileVariant();
});

test("explorer: finds nothing in the library as it is", () => {
  for (const fresh of [false, true]) {
    const { violation, states, checks } = explore(variant, { ...options, fresh });
    expect(violation?.script.join("\n")).toBeUndefined();
    expect(states).toBeGreaterThanOrEqual(600);
    expect(Object.entries(checks).filter(([, count]) => count === 0)).toEqual([]);
  }
});

test("explorer: finds the same states every time", () => {
  const few = { ...options, capacity: 2, states: 300 };
  expect(explore(variant, few)).toEqual(explore(variant, few));
});

/** What lies behind a refused submission is never handed over. */
const LOST: Patch = {
  file: "assembly/submission-queue.ts",
  find: "if (next < count) refuse(submissionAt(next++).token);",
  replace: "if (next < count) { refuse(submissionAt(next).token); next = count; }",
};

interface Planted extends Patch {
  bug: string;
  violated: RegExp;
}

const planted: Planted[] = [
  {
    bug: "a completion of an earlier generation passes",
    file: "assembly/handler-table.ts",
    find: "if (generation < entry.generation) return CancelResult.TooLate;\n  return generation == entry.generation && entry",
    replace: "return entry",
    violated: /^G7 a cancel of a token that is over/,
  },
  {
    bug: "a cancel that won is forgotten when the work has succeeded",
    file: "assembly/proactor.ts",
    find: "if (cancelled) overrule(completion);",
    replace: "",
    violated: /^G7 the accept saw/,
  },
  {
    bug: "the turn after a trap forgets what was polled and not dispatched",
    file: "assembly/proactor.ts",
    find: "while (dispatched < count) forgo(completionAt(dispatched++));",
    replace: "",
    violated: /^G9 /,
  },
];

test("explorer: tells a shortest way to a violation, step by step", async () => {
  const { violation } = explore(await compileVariant([LOST]), options);
  expect([violation?.message, ...(violation?.script ?? [])]).toEqual([
    "G8 handle 2 was not closed",
    "a request comes in context A",
    "a request comes in context B",
    "context A takes a turn with budget 1",
    "  the handler of the accept starts",
    "    Cancel the accept",
    "      the host admits what nobody hears (slot 2)",
    "context B takes a turn with budget 2",
    "  the handler of the accept starts",
    "    Submit",
    "      the host refuses operation 1 (slot 1)",
    "  the handler of operation 1 (slot 1) starts",
  ]);
});

test.for(planted)("explorer: finds it if $bug", async ({ violated, ...patch }) => {
  const { violation } = explore(await compileVariant([patch]), options);
  expect(violation?.message).toMatch(violated);
  expect(violation?.script.length).toBeGreaterThan(0);
});
