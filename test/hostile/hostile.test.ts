// Hostile modules: each .wat file beside this one does what no guest should. Its first line says what; its second, what
// must come of it. Whatever it is: nothing reaches the platform, nobody waits for ever, the host writes where it was
// told to and nowhere else, and a healthy request afterwards is served, by the same instance if that is still there.
// Reports and counters are compared with those in __snapshots__, down to the last operation.
//
// What a module cannot be kept from is to loop without calling anybody. That is the runtime's CPU limit.

import { afterEach, expect, test, vi } from "vitest";
import { ModuleError, Proactor } from "../../src/index.ts";
import type { ErrorReport, Isolation } from "../../src/index.ts";
import { Simulation } from "../../src/testing/index.ts";
import { guard } from "../contract/border.ts";
import type { Exports } from "../contract/border.ts";
import { readHostile } from "../../scripts/hostile.ts";
import { wat } from "../../scripts/wat.ts";

const ISOLATIONS: Isolation[] = ["request", "pooled", "shared"];

const modules = readHostile();

/** A module with everything around it that it might reach. */
async function start(text: string, isolation: Isolation) {
  const module = await wat(text);
  // Where there are many calls, memory is not compared around each of them.
  let isHealthy = false;
  const border = guard(module, {
    memory: !text.includes(";; calls: many"),
    exports: (exports) => {
      const { run, healthy = run } = exports as Exports & Partial<Record<"healthy", Exports["run"]>>;
      return { run: (budget) => (isHealthy ? healthy(budget) : run(budget)) };
    },
  });
  const simulation = new Simulation({ delay: [5, 5] });
  const reports: ErrorReport[] = [];
  const proactor = await Proactor.instantiate(module, {
    isolation,
    clock: simulation.clock,
    resources: { STORE: simulation.kv(), API: simulation.origin("https://api.test", () => new Response("body")) },
    onError: (report) => void reports.push(report),
  });
  const send = (): Promise<Response> =>
    proactor.fetch(new Request("http://guest.test/", { method: "POST", body: "x" }));
  /** Sends a request, and says what came of it: its status, and why, if the host has answered. */
  const ask = async (): Promise<string> => {
    const response = await simulation.run(send());
    const text = await simulation.run(response.text());
    return response.status === 500 ? `500 ${(JSON.parse(text) as { error: string }).error}` : `${response.status}`;
  };
  /** The same, for a request that the module serves as it should. */
  const askHealthily = (): Promise<string> => {
    isHealthy = true;
    return ask();
  };
  return { border, simulation, reports, proactor, send, ask, askHealthily };
}

/** How often there was each kind of report. */
function kindsOf(reports: readonly ErrorReport[]): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const { kind } of reports) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return kinds;
}

afterEach(() => vi.restoreAllMocks());

const ended = modules.filter(({ outcome }) => !["never", "pair", "refused"].includes(outcome));

test.for(ended)("hostile: $name: $does", async ({ outcome, healthy: expected, text }) => {
  const lines = ["log", "error"].map((method) => vi.spyOn(console, method as "log").mockImplementation(() => {}));
  for (const isolation of ISOLATIONS) {
    const { simulation, reports, proactor, ask, askHealthily } = await start(text, isolation);
    for (let request = 0; request < 3; request++) {
      const answer = await ask();
      const unexpected = reports.filter(({ line }) => line !== undefined && !outcome.startsWith("500"));
      expect(unexpected, "a number was not what the module expects: see line and column").toEqual([]);
      if (outcome === "any") expect(["204", "500 trap", "500 unanswered"]).toContain(answer);
      else expect([isolation, answer]).toEqual([isolation, outcome]);
    }
    await simulation.settle();
    const healthy = await askHealthily();
    await simulation.settle();
    expect([isolation, healthy]).toEqual([isolation, expected]);
    expect(reports.filter(({ kind }) => !["trap", "unanswered", "open", "unhandled"].includes(kind))).toEqual([]);
    const { completed, refused, late, reclaimed, traps, instantiated, ...now } = proactor.counters;
    // Nothing is left but the accept of each instance.
    expect(now).toMatchObject({ contexts: 0, killed: 0 });
    expect(now.inFlight).toBeLessThanOrEqual(now.instances);
    expect([simulation.openBodies, simulation.fetching, simulation.clock.size]).toEqual([0, 0, 0]);
    const golden = { healthy, reports: kindsOf(reports), completed, refused, late, reclaimed, traps, instantiated };
    // How deep a stack is, is the engine's business.
    if (outcome !== "any") expect(golden).toMatchSnapshot(isolation);
  }
  for (const console of lines) expect(console.mock.calls).toEqual([]);
});

const refused = modules.filter(({ outcome }) => outcome === "refused");

test.for(refused)("hostile: $name: $does", async ({ text }) => {
  for (const isolation of ISOLATIONS) await expect(start(text, isolation)).rejects.toThrow(ModuleError);
});

test("hostile: resubmits-endlessly: others have their turn in between, and its own instance alone is held up", async () => {
  const { text } = modules.find(({ outcome }) => outcome === "never")!;
  for (const isolation of ISOLATIONS) {
    const { border, simulation, proactor, send } = await start(text, isolation);
    const requests = [send(), send(), send()];
    let answered = 0;
    for (const request of requests) request.then(() => answered++);
    const turns: number[] = [];
    for (let fired = 0; fired < 200; fired++) {
      const before = border.turns;
      // One timer each, and no time passes: they are all due at once.
      simulation.clock.fireNext();
      turns.push(border.turns - before);
    }
    expect([answered, simulation.clock.now()]).toEqual([0, 0]);
    expect(Math.max(...turns)).toBeLessThanOrEqual(proactor.limits.runs);
    expect(proactor.counters).toMatchObject({ contexts: 3, inFlight: isolation === "shared" ? 4 : 6 });
  }
});

test("hostile: cross-context: what belongs to the first request is nothing to the second", async () => {
  const { text } = modules.find(({ outcome }) => outcome === "pair")!;
  const { simulation, reports, proactor, send } = await start(text, "shared");
  const first = send();
  const second = await simulation.run(send());
  expect(reports).toEqual([]);
  expect([second.status, (await simulation.run(first)).status]).toEqual([204, 201]);
  expect(proactor.counters).toMatchObject({ contexts: 0, inFlight: 1 });
});

test("hostile: a module that never ends a line of its console does not fill the host's memory with it", async () => {
  const text = `(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (func (export "_initialize") (local $again i32)
      (memory.fill (i32.const 0x10000) (i32.const 0x61) (i32.const 0x10000))
      (i32.store (i32.const 0) (i32.const 0x10000))
      (i32.store (i32.const 4) (i32.const 0x10000))
      (loop $next
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
        (local.set $again (i32.add (local.get $again) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $again) (i32.const 100)))))
    (func (export "run") (param i32) (result i32) (i32.const 0)))`;
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await Proactor.instantiate(await wat(text));
  // 6.5 MB in all; what is not written yet is less than one line may be long.
  const written = log.mock.calls.reduce((length, [line]) => length + String(line).length, 0);
  expect(written).toBeGreaterThan(100 * 65_536 - 65_536);
});
