// Fiber: what a guest and its owner may rely on, on each kind of stack.

import { describe, expect, test } from "vitest";
import { jspi } from "../../src/fiber.ts";
import { Proactor, kv } from "../../src/index.ts";
import { memoryKv } from "../../src/kv-memory.ts";
import { expectNothingLeft, moduleOf, simulatedHost } from "../support/hosts.ts";
import type { SimulatedHost } from "../support/hosts.ts";
import { RELEASES } from "./variants.ts";

const ISOLATIONS = ["request", "pooled", "shared"] as const;

const textOf = async (host: SimulatedHost, path: string): Promise<string> => (await host.fetch(path)).text();

/** Turns of the event loop, in which no virtual time passes. */
async function idle(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(RELEASES)("$title", ({ suffix, options }) => {
  describe.each(ISOLATIONS)("%s", (isolation) => {
    const start = (more: Parameters<typeof simulatedHost>[1] = {}) =>
      simulatedHost(`fiber${suffix}`, { isolation, ...options, ...more });

    test("fiber: each result is valid until its fiber waits again, whatever others receive meanwhile", async () => {
      const host = await start();
      const ids = Array.from({ length: 20 }, (_, id) => `${id}`.repeat(id + 1));
      const answers = await host.fetchAll(ids.map((id) => `/values?id=${id}`));
      for (const [index, answer] of answers.entries())
        expect(await answer.text()).toBe(`value of ${ids[index]}|`.repeat(5));
      await expectNothingLeft(host);
    });

    test("fiber: the same if all come at one moment, and there are others on the turn", async () => {
      const store = memoryKv();
      const host = await start({ grants: () => ({ CACHE: kv(store) }) });
      const answers = await host.fetchAll(Array.from({ length: 20 }, (_, id) => `/values?id=${id}&busy`));
      for (const [id, answer] of answers.entries()) expect(await answer.text()).toBe(`value of ${id}|`.repeat(5));
      await expectNothingLeft(host);
    });

    test("fiber: fibers await fibers", async () => {
      const host = await start();
      expect(await textOf(host, "/nested?generations=3")).toBe("39");
      await expectNothingLeft(host);
    });

    test("fiber: a cancel ends what it waits for, then and later, and it runs to its end", async () => {
      const host = await start();
      expect(await textOf(host, "/cancelled?after=5")).toBe("begins -8 -8 ends completes -8");
      expect(host.simulation.clock.now()).toBe(5);
      await expectNothingLeft(host);
    });

    test("fiber: one ends with its scope, and the scope is left when it has", async () => {
      const host = await start();
      expect(await textOf(host, "/scope")).toBe("begins -8 -8 ends completes -8");
      expect(host.simulation.clock.now()).toBe(5);
      await expectNothingLeft(host);
    });

    test("fiber: one that is cancelled and waits on for ever is ended, with a report", async () => {
      const host = await start();
      expect((await host.fetch("/stubborn")).status).toBe(500);
      expect(await host.takeReports()).toMatchObject([
        { kind: "trap", message: "await: this fiber was cancelled and waits on; end it when a result has failed" },
      ]);
      await expectNothingLeft(host);
    });

    test("fiber: one that is cancelled before it begins never does", async () => {
      const host = await start();
      expect(await textOf(host, "/cancelled?after=0")).toBe("completes -8");
      await expectNothingLeft(host);
    });

    test("fiber: a cancel that comes too late changes nothing", async () => {
      const host = await start();
      expect(await textOf(host, "/cancelled?after=3000")).toBe("begins 0 0 ends completes 0");
      await expectNothingLeft(host);
    });

    test("fiber: a deadline ends what it waits for, and it completes as TimedOut when it has ended", async () => {
      const host = await start();
      expect(await textOf(host, "/timeout")).toBe("begins -8 -8 ends completes -9");
      expect(host.simulation.clock.now()).toBe(10);
      await expectNothingLeft(host);
    });

    test("fiber: what it waits for may time out", async () => {
      const host = await start();
      expect(await textOf(host, "/missed")).toBe("the deadline passed");
      await expectNothingLeft(host);
    });

    test("fiber: what it does after the answer is finished", async () => {
      const host = await start();
      expect(await textOf(host, "/late")).toBe("answered");
      await expectNothingLeft(host);
      expect(host.simulation.clock.now()).toBeGreaterThan(20);
    });

    test.for(["/silent", "/silent-at-once", "/wait?ms=5"])(
      "fiber: one that ends without an answer is answered with 500: %s",
      async (path) => {
        const host = await start();
        const answer = await host.fetch(path);
        expect(answer.status).toBe(500);
        expect(await answer.json()).toMatchObject({ error: "unanswered" });
        expect(await host.takeReports()).toMatchObject([{ kind: "unanswered" }]);
        await expectNothingLeft(host);
      },
    );

    test("fiber: one that never waits for the platform lets others go first", async () => {
      const host = await start({ limits: { runs: 10 } });
      let ended = false;
      const answer = host.send("/spin?count=1000").then((response) => ((ended = true), response));
      await idle(20);
      expect(ended).toBe(false);
      expect(await (await host.simulation.run(answer)).text()).toBe("spun");
      await expectNothingLeft(host);
    });

    test("fiber: await outside of one is an assertion", async () => {
      const host = await start();
      expect((await host.fetch("/outside")).status).toBe(500);
      expect(await host.takeReports()).toMatchObject([
        { kind: "trap", message: "await: only code on a fiber can wait", file: "assembly/fiber.ts" },
      ]);
      // Nor is a handler one after a fiber has given up.
      await host.fetch("/trap?how=abort");
      await host.takeReports();
      await host.fetch("/outside");
      expect(await host.takeReports()).toMatchObject([{ message: "await: only code on a fiber can wait" }]);
      await expectNothingLeft(host);
    });

    test("fiber: one that lets others go first ends with its client, and its place at a gate is another's", async () => {
      const host = await start({ limits: { runs: 10 } });
      for (let round = 0; round < 3; round++) {
        const client = new AbortController();
        const left = host.send("/spin?count=1000000&fibers&gate", { signal: client.signal });
        for (let step = 0; step < 5; step++) await host.simulation.step();
        client.abort();
        expect(await (await host.simulation.run(left)).json()).toMatchObject({ error: "abandoned" });
        expect(await textOf(host, "/spin?count=1&gate")).toBe("spun");
      }
      expect(host.simulation.clock.now()).toBe(0);
      await expectNothingLeft(host);
    });

    test("fiber: a shutdown now is heard by a fiber, which can still answer", async () => {
      const host = await start();
      const answer = host.send("/missed");
      await host.simulation.advance(1);
      await host.simulation.run(host.proactor.shutdown("now"));
      const response = await answer;
      expect([response.status, await response.text()]).toEqual([200, "The host is shutting down."]);
      expect(host.proactor.counters).toMatchObject({ contexts: 0, instances: 0, inFlight: 0 });
    });

    test("fiber: a shutdown ends what it waits for", async () => {
      const host = await start();
      const answer = host.send("/wait?ms=60000");
      await host.simulation.advance(10);
      await host.simulation.run(host.proactor.shutdown("now"));
      expect((await answer).status).toBe(503);
      expect(host.proactor.counters).toMatchObject({ contexts: 0, instances: 0, inFlight: 0 });
    });
  });

  describe("shared", () => {
    const start = (more: Parameters<typeof simulatedHost>[1] = {}) =>
      simulatedHost(`fiber${suffix}`, { isolation: "shared", ...options, ...more });

    test("fiber: an abort costs its own request", async () => {
      const host = await start();
      const answers = await host.fetchAll([
        "/walk",
        "/trap?how=abort&after=5",
        "/walk?seed=2",
        "/trap?how=none&after=5",
        "/trap?how=abort&after=9",
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 500, 200, 200, 500]);
      expect(await answers[0]!.json()).toMatchObject({ broken: 0 });
      expect(await answers[3]!.text()).toBe("whole");
      const trap = { kind: "trap", message: "a fiber gives up", file: "test/guest/fiber.ts" };
      const reports = await host.takeReports();
      expect(reports).toMatchObject([trap, trap]);
      // After the turn, no completion is blamed: it may have been another request's.
      expect(reports.map(({ operation }) => operation)).toEqual(Array(2).fill(suffix ? "timer" : undefined));
      expect(host.proactor.counters).toMatchObject({ instances: 1, instantiated: 1 });
      // The accept, and the fiber that tells.
      expect(await textOf(host, "/state")).toMatch(/^1 0 /);
      await expectNothingLeft(host);
    });

    test("fiber: who waits at a gate for one that aborts goes on at once", async () => {
      const host = await start();
      const [trapped, waited] = await host.fetchAll(["/trap?how=abort&after=5&gate", "/spin?count=1&gate"]);
      expect([trapped!.status, await waited!.text()]).toEqual([500, "spun"]);
      expect(host.simulation.clock.now()).toBe(5);
      expect(await host.takeReports()).toMatchObject([{ kind: "trap", message: "a fiber gives up" }]);
      await expectNothingLeft(host);
    });

    test("fiber: who waits at a gate for one that lets others go first goes on when its client leaves", async () => {
      const host = await start({ limits: { runs: 10 } });
      const client = new AbortController();
      const left = host.send("/spin?count=1000000&fibers&gate", { signal: client.signal });
      const waited = host.send("/spin?count=1&gate");
      for (let step = 0; step < 5; step++) await host.simulation.step();
      client.abort();
      expect((await host.simulation.run(left)).status).toBe(500);
      expect(await (await host.simulation.run(waited)).text()).toBe("spun");
      expect(host.simulation.clock.now()).toBe(0);
      await expectNothingLeft(host);
    });

    test("fiber: an abort is cleaned up after by whoever runs next, be it a fiber", async () => {
      const store = memoryKv();
      const host = await start({ grants: () => ({ CACHE: kv(store) }) });
      const paths = Array.from({ length: 40 }, (_, index) => `/trap?how=${index % 4 ? "none" : "abort"}`);
      const answers = await host.fetchAll(paths);
      expect(answers.map(({ status }) => status)).toEqual(paths.map((_, index) => (index % 4 ? 200 : 500)));
      expect(await host.takeReports()).toHaveLength(10);
      expect(await textOf(host, "/state")).toMatch(/^1 0 /);
      await expectNothingLeft(host);
    });

    test("fiber: one whose request ends on the turn that resumes it gives back its place", async () => {
      const store = memoryKv();
      const host = await start({ grants: () => ({ CACHE: kv(store) }) });
      for (let round = 0; round < 5; round++) expect((await host.fetch("/doomed")).status).toBe(500);
      expect(await store.get("doomed", { type: "arrayBuffer" })).toBeNull();
      expect(await host.takeReports()).toHaveLength(5);
      expect(await textOf(host, "/doomed?alone")).toBe("alone");
      expect(await textOf(host, "/state")).toMatch(/^1 0 /);
      await expectNothingLeft(host);
    });

    test("fiber: thousands of aborts leave nothing behind", async () => {
      const host = await start({ limits: { traps: 100_000 } });
      for (let round = 0; round < 300; round++)
        await host.fetchAll(Array.from({ length: 10 }, (_, index) => `/trap?how=abort&after=${index % 3}`));
      expect((await host.takeReports()).length).toBe(3000);
      expect(await textOf(host, "/state")).toMatch(/^1 0 /);
      expect(await host.json("/walk")).toMatchObject({ broken: 0 });
      expect(host.proactor.counters.instantiated).toBe(1);
      await expectNothingLeft(host);
    });

    test("fiber: any other trap condemns the instance, and no request hangs", async () => {
      const host = await start();
      const answers = await host.fetchAll(["/walk", "/trap?how=unreachable&after=5", "/walk"]);
      expect(answers.map(({ status }) => status)).toEqual([500, 500, 500]);
      expect(await answers[1]!.json()).toMatchObject({ error: "trap" });
      expect(await answers[2]!.json()).toMatchObject({ error: "condemned" });
      expect(await host.takeReports()).toMatchObject([{ kind: "trap", message: "unreachable" }]);
      expect(await host.json("/walk")).toMatchObject({ broken: 0 });
      await expectNothingLeft(host);
    });

    test("fiber: one that is refused again and again gives up", async () => {
      const host = await start({ limits: { inFlight: 3 } });
      const waiting = [host.send("/wait?ms=50"), host.send("/wait?ms=50")];
      await idle(3);
      expect((await host.fetch("/refused")).status).toBe(500);
      const [report] = await host.takeReports();
      expect(report).toMatchObject({ kind: "trap", message: expect.stringContaining("while the host refuses") });
      await host.simulation.run(Promise.all(waiting));
      await host.takeReports();
      await expectNothingLeft(host);
    });

    test("fiber: memory and slots stay as they are through two thousand requests", async () => {
      const host = await start();
      const paths = Array.from({ length: 100 }, (_, index) => `/walk?count=3&depth=1&seed=${index}`);
      for (let round = 0; round < 5; round++) await host.fetchAll(paths);
      const before = await textOf(host, "/state");
      for (let round = 0; round < 15; round++) await host.fetchAll(paths);
      expect(await textOf(host, "/state")).toBe(before);
      await expectNothingLeft(host);
    });
  });

  test("fiber: a value larger than the arena comes whole", async () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index * 7);
    const store = await simulatedHost(`fiber${suffix}`, {
      ...options,
      grants: (simulation) => {
        const grant = simulation.kv();
        void grant.store.put("large", bytes.buffer, {});
        return { CACHE: grant };
      },
    });
    expect(new Uint8Array(await (await store.fetch("/large")).arrayBuffer())).toEqual(bytes);
    await expectNothingLeft(store);
  });

  test("fiber: a chain of calls may be deep when it waits", async () => {
    const host = await simulatedHost(`fiber${suffix}`, options);
    expect(await textOf(host, "/deep?depth=300")).toBe("300");
    await expectNothingLeft(host);
  });
});

test("fiber: Asyncify says when a stack is too deep to be kept", async () => {
  const host = await simulatedHost("fiber.asyncify", { isolation: "shared" });
  expect((await host.fetch("/deep?depth=6000")).status).toBe(500);
  expect(await host.takeReports()).toMatchObject([
    { kind: "trap", message: "await: the stack of this fiber is too deep to be kept" },
  ]);
  expect(await host.json("/walk")).toMatchObject({ broken: 0 });
  expect(host.proactor.counters.instantiated).toBe(1);
  await expectNothingLeft(host);
});

test("fiber: a module with fibers is refused where nobody runs them, and says what to do", async () => {
  const module = await moduleOf("fiber");
  expect(() => new Proactor(module)).toThrow(
    /proactor_v1_fiber\.resume[^]*fibers need run_fiber too, and instantiate: jspi\(\)/,
  );
});

test("fiber: the module that was put through Asyncify imports nothing that the contract has not", async () => {
  const imports = WebAssembly.Module.imports(await moduleOf("fiber.asyncify")).map(({ module }) => module);
  expect(new Set(imports)).toEqual(new Set(["proactor_v1"]));
});

test("fiber: jspi() says so if the engine has no such stacks", () => {
  const engine = WebAssembly as { Suspending?: unknown };
  const { Suspending } = engine;
  try {
    delete engine.Suspending;
    expect(() => jspi()).toThrow("wasm-proactor-asyncify");
  } finally {
    engine.Suspending = Suspending;
  }
});
