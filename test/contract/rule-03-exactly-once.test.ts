// Rule 3: exactly one final completion for each admitted submission. A multishot submission gets completions flagged
// MORE, then one without it.

import { assert, constantFrom, integer, record, array, asyncProperty } from "fast-check";
import { expect, test } from "vitest";
import { EventKind, FETCH_BODY, MORE, Opcode, Status } from "../../assembly/abi.ts";
import { Simulation } from "../../src/testing/index.ts";
import { cancel, close, fetch, get, noop, puppet, put, read, respond, timer } from "./puppet.ts";
import type { Submission } from "./puppet.ts";

const KINDS = [
  "noop",
  "timer",
  "get",
  "put",
  "list",
  "fetch",
  "fetchBody",
  "read",
  "close",
  "cancel",
  "wrong",
] as const;

const step = record({
  kind: constantFrom(...KINDS),
  /** Milliseconds of a timer, or which earlier operation to cancel. */
  number: integer({ min: 0, max: 40 }),
  deadline: integer({ min: 0, max: 60 }),
});

test("rule 3: whatever settles, fails, is cancelled or too late: one final completion each", () =>
  assert(
    asyncProperty(integer(), array(array(step, { maxLength: 8 }), { maxLength: 6 }), async (seed, rounds) => {
      const simulation = new Simulation({
        seed,
        delay: [0, 50],
        faults: { network: 0.2, kvRateLimited: 0.2, bodyBroken: 0.2, abortIgnored: 0.5 },
      });
      const api = simulation.origin("https://api.test", () => new Response("body".repeat(10_000)));
      const stage = await puppet({ simulation, memory: false, resources: { STORE: simulation.kv(), API: api } });
      const admitted = new Map<number, string>();
      const completed = new Map<number, number>();
      let slot = 1;
      await stage.serve(
        function* (exchange, puppet) {
          const [store, origin] = [puppet.open("STORE"), puppet.open("API")];
          for (const round of rounds) {
            const batch = round.map(({ kind, number, deadline }): Submission => {
              const chosen: Record<(typeof KINDS)[number], Submission> = {
                noop: noop(),
                timer: timer(number),
                get: get(store, "key"),
                put: put(store, "key", "value"),
                list: { opcode: Opcode.KvList, resource: store },
                fetch: fetch(origin, "/"),
                fetchBody: { ...fetch(origin, "/"), flags: FETCH_BODY },
                read: read(exchange),
                close: close(number === 0 ? store : 1000),
                cancel: cancel(number + 1),
                wrong: { opcode: 99 },
              };
              admitted.set(slot, kind);
              return Object.assign(chosen[kind], { deadline, slot: slot++ });
            });
            expect(puppet.submit(...batch)).toBe(batch.length);
            // A noop, so that a round without operations has something to wait for.
            puppet.submit({ ...noop(), slot: slot++ });
            for (const done of yield) completed.set(done.slot, (completed.get(done.slot) ?? 0) + 1);
          }
          while ([...admitted.keys()].some((slot) => !completed.has(slot))) {
            for (const done of yield) completed.set(done.slot, (completed.get(done.slot) ?? 0) + 1);
          }
          puppet.submit({ ...respond(exchange), slot: slot++ });
          yield;
        },
        new Request("http://puppet.test/", { method: "POST", body: "sent" }),
      );
      await stage.settle();
      expect([...completed.values()].filter((count) => count !== 1)).toEqual([]);
      expect(stage.puppets[0]!.strays).toEqual([]);
      expect(stage.proactor.counters).toMatchObject({ contexts: 0, inFlight: 1 });
      expect(stage.reports).toEqual([]);
      expect([simulation.openBodies, simulation.clock.size]).toEqual([0, 0]);
    }),
    { numRuns: 60 },
  ));

test("rule 3: an accept completes flagged MORE for each request, and once without it when it is cancelled", async () => {
  const flags: number[] = [];
  const stage = await puppet({
    run: (puppet, budget) => {
      const completions = puppet.poll(Math.min(budget, 256));
      for (const { slot, flags: seen, status } of completions) if (slot === 0) flags.push(seen, status);
      puppet.dispatch(completions);
      return completions.length;
    },
  });
  for (let request = 0; request < 3; request++) {
    await stage.serve(function* (exchange, puppet) {
      puppet.submit(respond(exchange));
      yield;
    });
  }
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(cancel(0));
    yield;
    puppet.submit(respond(exchange));
    yield;
  });
  expect(flags).toEqual([MORE, Status.Ok, MORE, Status.Ok, MORE, Status.Ok, MORE, Status.Ok, 0, Status.Cancelled]);
});

test("rule 3: an instance whose accept has ended is replaced", async () => {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(cancel(0));
    yield;
    puppet.submit(respond(exchange));
    yield;
  });
  const response = await stage.serve(function* (exchange, puppet) {
    puppet.submit(respond(exchange, 204));
    yield;
  });
  expect(response.status).toBe(204);
  expect(stage.proactor.counters).toMatchObject({ contexts: 0, inFlight: 1, instances: 1, instantiated: 2 });
});

test("rule 3: an accept has no deadline, since it belongs to no request whose timer could keep it", async () => {
  const statuses: number[] = [];
  const stage = await puppet({
    run: (puppet, budget) => {
      const completions = puppet.poll(Math.min(budget, 256));
      statuses.push(...completions.map(({ status }) => status));
      puppet.dispatch(completions);
      return completions.length;
    },
    start: (puppet) => {
      puppet.submit({ opcode: Opcode.Accept, slot: 7, arguments: [EventKind.Fetch], deadline: 5 });
      puppet.accept();
    },
  });
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(respond(exchange));
    yield;
  });
  expect(statuses).toEqual([Status.Invalid, Status.Ok, Status.Ok]);
  expect(stage.simulation.clock.size).toBe(0);
});

test("rule 3: an accept that has ended makes room for another one", async () => {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(cancel(0));
    yield;
    puppet.submit({ opcode: Opcode.Accept, slot: 0, generation: 2, arguments: [EventKind.Fetch] });
    puppet.submit(respond(exchange));
    yield;
  });
  const response = await stage.serve(function* (exchange, puppet) {
    puppet.submit(respond(exchange, 204));
    yield;
  });
  expect(response.status).toBe(204);
});
