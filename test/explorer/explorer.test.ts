// The explorer itself: it finds nothing in the library as it is, and a bug where one was planted.

import { expect, test } from "vitest";
import { explore } from "./explorer.ts";
import type { ExploreOptions } from "./explorer.ts";
import { compileVariant } from "./variant.ts";
import type { Patch } from "./variant.ts";

const options: ExploreOptions = { capacity: 1, actions: 1, fresh: false, states: 600 };

test("explorer: finds nothing in the library as it is", async () => {
  const variant = await compileVariant();
  for (const fresh of [false, true]) {
    const { violation, states, checks } = explore(variant, { ...options, fresh });
    expect(violation?.script.join("\n")).toBeUndefined();
    expect(states).toBeGreaterThanOrEqual(600);
    expect(Object.entries(checks).filter(([, count]) => count === 0)).toEqual([]);
  }
});

test("explorer: finds the same states every time", async () => {
  const variant = await compileVariant();
  const few = { ...options, capacity: 2, states: 300 };
  expect(explore(variant, few)).toEqual(explore(variant, few));
});

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
  {
    bug: "what lies behind a refused submission is never handed over",
    file: "assembly/submission-queue.ts",
    find: "if (next < count) refuse(submissionAt(next++).token);",
    replace: "if (next < count) { refuse(submissionAt(next).token); next = count; }",
    violated: /^G[38] /,
  },
];

test.for(planted)("explorer: finds it if $bug", async ({ violated, ...patch }) => {
  const variant = await compileVariant([patch]);
  const { violation } = explore(variant, options);
  expect(violation?.message).toMatch(violated);
  expect(violation?.script.length).toBeGreaterThan(0);
});
