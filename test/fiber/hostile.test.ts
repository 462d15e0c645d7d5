// Hostile fibers: whatever a module does with the imports by which fibers are switched, its host goes on, and no request
// hangs.

import { describe, expect, test } from "vitest";
import { jspi } from "../../src/fiber.ts";
import { Proactor } from "../../src/index.ts";
import type { ErrorReport } from "../../src/index.ts";
import { Simulation } from "../../src/testing/index.ts";
import { wat } from "../../scripts/wat.ts";

/** A module that does one thing when a request comes, and another on a fiber. */
const moduleThat = (request: string, fiber: string, initialize = ""): Promise<WebAssembly.Module> =>
  wat(`(module
    (import "proactor_v1" "submit" (func $submit (param i32 i32) (result i32)))
    (import "proactor_v1" "poll" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "proactor_v1_fiber" "resume" (func $resume (param i32 i32 i32 i32) (result i32)))
    (import "proactor_v1_fiber" "suspend" (func $suspend (param i32)))
    (import "proactor_v1_fiber" "enter" (func $enter (param i32) (result i32)))
    (import "proactor_v1_fiber" "leave" (func $leave (param i32)))
    (memory (export "memory") 2)
    (global $exchange (mut i32) (i32.const 0))
    (func $start (param $fiber i32)
      (drop (call $resume (local.get $fiber) (i32.const 0) (i32.const 0) (i32.const 0))))
    (func $respond
      (i32.store (i32.const 0x2000) (i32.const 1))
      (i32.store (i32.const 0x2004) (i32.const 7))
      (i32.store (i32.const 0x2008) (i32.const 5))
      (i32.store (i32.const 0x200c) (global.get $exchange))
      (i32.store (i32.const 0x202c) (i32.const 200))
      (drop (call $submit (i32.const 0x2000) (i32.const 1))))
    (func (export "_initialize")
      (i32.store (i32.const 0x2000) (i32.const 9))
      (i32.store (i32.const 0x2004) (i32.const 1))
      (i32.store (i32.const 0x2008) (i32.const 4))
      (i32.store (i32.const 0x202c) (i32.const 1))
      (drop (call $submit (i32.const 0x2000) (i32.const 1)))
      (memory.fill (i32.const 0x2000) (i32.const 0) (i32.const 64))
      ${initialize})
    (func (export "run") (param i32) (result i32)
      (local $count i32)
      (local.set $count (call $poll (i32.const 0) (i32.const 16) (i32.const 0x8000) (i32.const 0x8000)))
      (if (i32.eq (i32.load (i32.const 0)) (i32.const 9))
        (then (global.set $exchange (i32.load (i32.const 16))) (call $request)))
      (local.get $count))
    (func $request ${request})
    (func (export "run_fiber") (param $fiber i32) ${fiber}))`);

const ENTER = "(drop (call $enter (local.get $fiber)))";
const LEAVE = "(call $leave (local.get $fiber))";
const SUSPEND = "(call $suspend (local.get $fiber))";
const START = "(call $start (i32.const 1))";

/** What it does, in a turn and on a fiber, and how the request is answered. */
const CASES: [what: string, request: string, fiber: string, outcome: string][] = [
  ["answers on a fiber", START, `${ENTER} (call $respond) ${LEAVE}`, "200"],
  ["suspends a turn", "(call $suspend (i32.const 1))", "", "500 trap"],
  ["enters a fiber in a turn", `${START} (drop (call $enter (i32.const 1)))`, "", "500 trap"],
  ["leaves a turn", "(call $leave (i32.const 1))", "", "500 trap"],
  ["returns from a fiber that was not entered", START, "", "500 unanswered"],
  ["returns from a fiber that was not left", START, ENTER, "500 unanswered"],
  ["traps on a fiber that was not entered", START, "unreachable", "500 trap"],
  ["suspends a fiber that was not left", START, `${ENTER} ${SUSPEND}`, "500 trap"],
  ["suspends a fiber that was not entered", START, SUSPEND, "500 trap"],
  ["suspends a fiber that nobody resumes", START, `${ENTER} ${LEAVE} ${SUSPEND}`, "500 unanswered"],
  ["enters a fiber twice", START, `${ENTER} ${ENTER}`, "500 trap"],
  ["enters another fiber", START, "(drop (call $enter (i32.const 2)))", "500 trap"],
  ["resumes a fiber twice", `${START} ${START}`, `${ENTER} (call $respond) ${LEAVE}`, "200"],
  ["submits after it has left", START, `${ENTER} ${LEAVE} (call $respond)`, "500 unanswered"],
  [
    "resumes fibers without end",
    "(local $i i32) (loop $l (call $start (local.get $i)) (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l))",
    "",
    "500 trap",
  ],
];

const ISOLATIONS = ["pooled", "shared"] as const;

async function hostOf(module: WebAssembly.Module, isolation: (typeof ISOLATIONS)[number]) {
  const simulation = new Simulation();
  const reports: ErrorReport[] = [];
  const proactor = new Proactor(module, {
    isolation,
    clock: simulation.clock,
    limits: { inFlight: 1000 },
    instantiate: jspi(),
    onError: (report) => reports.push(report),
  });
  return { simulation, proactor, reports };
}

describe.each(ISOLATIONS)("%s", (isolation) => {
  test.for(CASES)("hostile: a module that %s", async ([, request, fiber, outcome]) => {
    const { simulation, proactor, reports } = await hostOf(await moduleThat(request, fiber), isolation);
    for (let round = 0; round < 3; round++) {
      const response = await simulation.run(proactor.fetch(new Request("http://hostile.test/")));
      const text = await response.text();
      const error = text && (JSON.parse(text) as { error: string }).error;
      expect(`${response.status} ${error}`.trim()).toBe(outcome);
    }
    await simulation.settle();
    const { contexts, inFlight, instances } = proactor.counters;
    expect(contexts).toBe(0);
    expect(inFlight).toBeLessThanOrEqual(instances);
    expect(reports.map(({ kind }) => kind)).not.toContain("unexpected");
  });
});

/** Fibers that resume themselves, or each other, and never wait for the platform. */
test.for([
  ["itself", "(local.get $fiber)", START],
  ["another", "(i32.sub (i32.const 3) (local.get $fiber))", `${START} (call $start (i32.const 2))`],
])("hostile: a fiber that resumes %s without end lets others go first", async ([, next, request]) => {
  const endless = `${ENTER} (loop $l (call $start ${next}) ${LEAVE} ${SUSPEND} ${ENTER} (br $l))`;
  const { simulation, proactor } = await hostOf(await moduleThat(request!, endless), "shared");
  let answered = false;
  void proactor.fetch(new Request("http://hostile.test/")).then(() => (answered = true));
  for (let step = 0; step < 50; step++) await simulation.step();
  expect(answered).toBe(false);
  await simulation.run(proactor.shutdown("now"));
  expect(proactor.counters).toMatchObject({ contexts: 0, instances: 0 });
});

test("hostile: a module that resumes a fiber while it starts is refused", async () => {
  const module = await moduleThat("", "", START);
  await expect(hostOf(module, "pooled")).rejects.toThrow("a fiber belongs to a request");
});
