// Groups under the explorer: it finds nothing in the library as it is, and a bug where one was planted.

import { beforeAll, expect, test } from "vitest";
import { exploreGroups } from "./groups/explore.ts";
import { GROUPS_GUEST, PLANS } from "./groups/plans.ts";
import { compileVariant } from "./variant.ts";
import type { Patch, Variant } from "./variant.ts";

let variant: Variant;

beforeAll(async () => {
  variant = await compileVariant([], GROUPS_GUEST);
});

function explore(module: Variant, name: string) {
  const plan = PLANS.find((other) => other.name === name);
  if (!plan) throw new Error(`no plan has the name ${name}`);
  return exploreGroups(module, plan);
}

test.for([
  ["gather of none", 24],
  ["race of 1", 76],
  ["retry", 251],
  ["fallback", 329],
  ["within", 369],
  ["sequence of 2", 192],
  ["gather of limits, gate of 1", 258],
  ["gather of maps", 656],
  ["limit, gate of 1, room for 1, ABA", 4241],
] as const)("groups: %s, in every state that there is", ([name, states]) => {
  const report = explore(variant, name);
  expect(report.violation?.script.join("\n")).toBeUndefined();
  // With fewer of them something would not be tried any more.
  expect(report).toMatchObject({ complete: true, states });
  expect(report.ends).toBeGreaterThan(0);
});

interface Planted extends Patch {
  bug: string;
  plan: string;
  violated: RegExp;
}

const planted: Planted[] = [
  {
    bug: "a group completes with its losers in flight",
    plan: "race of 2",
    file: "assembly/compose/composite.ts",
    find: "if (!this.pending) this.land();\n  }\n\n  private expire",
    replace: "if (this.phase == Phase.Decided) this.land();\n  }\n\n  private expire",
    violated: /^G16 group 0 completes before member 1 is heard/,
  },
  {
    bug: "what was kept is not given back",
    plan: "gather of 2",
    file: "assembly/compose/composite.ts",
    find: "if (this.gathers && !(this.flags & RECORDS))",
    replace: "if (false)",
    violated: /^G8 resource \d+ was neither closed nor handed over/,
  },
  {
    bug: "a place in the gate is lost with the request that had it",
    plan: "limit, gate of 1, room for 0, AAB",
    file: "assembly/compose/composite.ts",
    find: "if (phase < Phase.Complete) this.onEnd();",
    replace: "",
    violated: /^G18 /,
  },
];

test.for(planted)("groups: finds it if $bug", async ({ plan, violated, ...patch }) => {
  const { violation } = explore(await compileVariant([patch], GROUPS_GUEST), plan);
  expect(violation?.message).toMatch(violated);
  expect(violation?.script.length).toBeGreaterThan(0);
});

/** What a turn that ends in a trap had to hand over is discarded, and with it the wakes of others. */
const FORGETFUL: Patch = {
  file: "assembly/submission-queue.ts",
  find: "if (hasFlights && submission.opcode == <u16>Opcode.Wake)",
  replace: "if (false)",
};

test("groups: a handler traps on the turn that lets another request into the gate", async () => {
  const { violation } = explore(await compileVariant([FORGETFUL], GROUPS_GUEST), "limit, gate of 1, room for 1, ABA");
  expect([violation?.message, ...(violation?.script ?? [])]).toEqual([
    "G18 1 wait, nothing is due, and 0 are inside",
    "context A takes a turn with budget 1",
    "    group 0 starts",
    "      the host admits member 0",
    "member 0 completes: resource",
    "context B takes a turn with budget 1",
    "    group 1 starts",
    "      the host admits Wait (slot 5)",
    "context A takes a turn with budget 2",
    "    group 2 starts",
    "  the handler of group 0 begins",
    "    it sees Ok of 0 with resource 2",
    "  the guest aborts, and context A ends",
    "context B takes a turn with budget 1",
  ]);
});
