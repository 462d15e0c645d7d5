// Rule 7: deadlines are the host's. It aborts the work itself and completes with TimedOut, no earlier than the
// deadline. One real timer for each context, armed for the earliest.

import { array, assert, asyncProperty, integer, tuple } from "fast-check";
import { expect, test } from "vitest";
import { Status, TIMER_MS_MAX } from "../../assembly/abi.ts";
import { kv, origin } from "../../src/index.ts";
import { memoryKv } from "../../src/kv-memory.ts";
import { Simulation } from "../../src/testing/index.ts";
import { cancel, fetch, get, noop, puppet, put, read, respond, text, timer } from "./puppet.ts";

/** An origin that never answers and arms no timer; counts the aborts that it sees. */
function hanging() {
  const seen = { aborts: 0 };
  const grant = origin("https://api.test", {
    fetcher: {
      fetch: (_, { signal }) =>
        new Promise((_, reject) => {
          signal!.addEventListener("abort", () => {
            seen.aborts++;
            reject(signal!.reason);
          });
        }),
    },
  });
  return { seen, grant };
}

test("rule 7: work that outlasts its deadline is aborted and completes with TimedOut, at the deadline", async () => {
  const { seen, grant } = hanging();
  const stage = await puppet({ resources: { API: grant } });
  await stage.serve(function* (exchange, puppet) {
    puppet.submit({ ...fetch(puppet.open("API"), "/"), deadline: 70 });
    expect(seen.aborts).toBe(0);
    const [done] = yield;
    expect(done!.status).toBe(Status.TimedOut);
    expect(text(done!.payload)).toContain("deadline");
    expect([stage.simulation.clock.now(), seen.aborts]).toEqual([70, 1]);
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 7: what is submitted together has one time, however long the host takes over it", async () => {
  const simulation = new Simulation();
  const { clock } = simulation;
  // A store that takes 10 ms before it gives a promise, which never settles.
  const slow = { ...memoryKv(), get: () => (clock.moveTo(clock.now() + 10), new Promise<never>(() => {})) };
  const stage = await puppet({ simulation, resources: { SLOW: kv(slow) } });
  await stage.serve(function* (exchange, puppet) {
    const store = puppet.open("SLOW");
    const [from, reads] = [clock.now(), [get(store, "a"), get(store, "b"), get(store, "c")]];
    puppet.submit(...reads.map((read) => ({ ...read, deadline: 70 })));
    const done = yield;
    expect(done.map(({ status }) => status)).toEqual(reads.map(() => Status.TimedOut));
    expect(clock.now() - from).toBeGreaterThanOrEqual(70);
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 7: each operation times out no earlier than its deadline and with the first turn after it", () =>
  assert(
    asyncProperty(
      array(tuple(integer({ min: 1, max: 99 }), integer({ min: 0, max: 9 })), { minLength: 1 }),
      async (plan) => {
        const { seen, grant } = hanging();
        const stage = await puppet({ memory: false, resources: { API: grant }, limits: { connections: 3 } });
        const { clock } = stage.simulation;
        await stage.serve(function* (exchange, puppet) {
          const api = puppet.open("API");
          const due = new Map<number, number>();
          let slot = 1;
          for (const [deadline, pause] of plan) {
            due.set(slot, clock.now() + deadline);
            puppet.submit({ ...fetch(api, "/"), deadline, slot: slot++ });
            expect(clock.size).toBe(1);
            if (pause === 0) continue;
            // Others may time out meanwhile.
            const until = slot++;
            puppet.submit({ ...timer(pause), slot: until });
            expect(clock.size).toBe(1);
            for (let waiting = true; waiting;) {
              for (const { slot, status } of yield) {
                if (slot === until) waiting = false;
                else expect([status, clock.now()]).toEqual([Status.TimedOut, due.get(slot)]);
                due.delete(slot);
              }
            }
          }
          while (due.size > 0) {
            expect(clock.size).toBe(1);
            for (const { slot, status } of yield) {
              expect([status, clock.now()]).toEqual([Status.TimedOut, due.get(slot)]);
              due.delete(slot);
            }
          }
          puppet.submit(respond(exchange));
          yield;
        });
        expect(seen.aborts).toBeLessThanOrEqual(plan.length);
        expect(clock.size).toBe(0);
      },
    ),
    { numRuns: 60 },
  ));

test("rule 7: a hundred timers and deadlines of a context arm one real timer, and two contexts two", async () => {
  const { grant } = hanging();
  const stage = await puppet({ isolation: "shared", resources: { API: grant } });
  const { clock } = stage.simulation;
  const many = (expected: number) =>
    stage.send(function* (exchange, puppet) {
      const api = puppet.open("API");
      for (let each = 0; each < 50; each++) {
        puppet.submit(timer(1 + ((each * 37) % 50)), { ...fetch(api, "/"), deadline: 1 + ((each * 11) % 50) });
        expect(clock.size).toBe(expected);
      }
      for (let left = 100; left > 0;) left -= (yield).length;
      puppet.submit(respond(exchange));
      yield;
    });
  await stage.simulation.run(Promise.all([many(1), many(2)]));
  stage.rethrow();
  expect(clock.size).toBe(0);
});

test("rule 7: what completes in time takes its deadline back", async () => {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    puppet.submit({ ...timer(10), deadline: 1000 }, { ...noop(), deadline: 1000 });
    const statuses = (yield).map(({ status }) => status);
    statuses.push(...(yield).map(({ status }) => status));
    expect(statuses).toEqual([Status.Ok, Status.Ok]);
    expect(stage.simulation.clock.size).toBe(0);
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 7: an operation that succeeds at the very moment of its deadline has one outcome", async () => {
  for (const ms of [9, 10, 11]) {
    const stage = await puppet();
    await stage.serve(function* (exchange, puppet) {
      puppet.submit({ ...timer(ms), deadline: 10 });
      const [done] = yield;
      expect(done!.status).toBe(ms > 10 ? Status.TimedOut : Status.Ok);
      expect(stage.simulation.clock.now()).toBe(Math.min(ms, 10));
      puppet.submit(respond(exchange));
      yield;
    });
  }
});

test("rule 7: a deadline counts from admission, waiting inside the host included", async () => {
  const { grant, seen } = hanging();
  const stage = await puppet({ resources: { API: grant }, limits: { connections: 1 } });
  await stage.serve(function* (exchange, puppet) {
    const api = puppet.open("API");
    puppet.submit({ ...fetch(api, "/first"), slot: 100 }, { ...fetch(api, "/waits"), deadline: 30 });
    const [done] = yield;
    expect([done!.status, stage.simulation.clock.now(), seen.aborts]).toEqual([Status.TimedOut, 30, 0]);
    puppet.submit(cancel(100), respond(exchange));
    yield;
  });
});

test("rule 7: a store's call that cannot be aborted times out all the same, and its late result is dropped", async () => {
  const simulation = new Simulation({ delay: [500, 500] });
  const stage = await puppet({ simulation, resources: { STORE: simulation.kv() } });
  await stage.serve(function* (exchange, puppet) {
    const store = puppet.open("STORE");
    puppet.submit({ ...put(store, "key", "value"), deadline: 20 });
    const [done] = yield;
    expect([done!.status, simulation.clock.now()]).toEqual([Status.TimedOut, 20]);
    // Stay until the late result comes.
    puppet.submit(timer(600));
    expect(yield).toHaveLength(1);
    puppet.submit(get(store, "key"));
    expect(text((yield)[0]!.payload)).toBe("value");
    puppet.submit(respond(exchange));
    yield;
  });
  expect(stage.proactor.counters.late).toBe(1);
});

test("rule 7: a body that does not end is given up at the deadline", async () => {
  let cancelled = 0;
  const body = new ReadableStream({ cancel: () => void cancelled++ });
  const stage = await puppet();
  const request = new Request("http://puppet.test/", { method: "POST", body, duplex: "half" } as RequestInit);
  await stage.serve(function* (exchange, puppet) {
    puppet.submit({ ...read(exchange), deadline: 15 });
    const [done] = yield;
    expect([done!.status, stage.simulation.clock.now()]).toEqual([Status.TimedOut, 15]);
    puppet.submit(respond(exchange));
    yield;
  }, request);
  expect(cancelled).toBe(1);
});

test("rule 7: timers complete by due time, equal ones in order of submission", async () => {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(...[30, 10, 20, 10, 0, 30].map((ms, index) => Object.assign(timer(ms), { slot: index + 1 })));
    const order: number[] = [];
    while (order.length < 6) order.push(...(yield).map(({ slot }) => slot));
    expect(order).toEqual([5, 2, 4, 3, 1, 6]);
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 7: the longest deadline is accepted, a longer one is Invalid", async () => {
  const stage = await puppet({ resources: { STORE: kv(memoryKv()) } });
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(
      { ...noop(), deadline: TIMER_MS_MAX },
      { ...noop(), deadline: TIMER_MS_MAX + 1 },
      timer(TIMER_MS_MAX + 1),
    );
    expect((yield).map(({ status }) => status)).toEqual([Status.Ok, Status.Invalid, Status.Invalid]);
    puppet.submit({ ...timer(TIMER_MS_MAX), slot: 77 });
    puppet.submit(cancel(77), respond(exchange));
    yield;
  });
  expect(stage.simulation.clock.size).toBe(0);
});

test("rule 7: a context that has ended leaves no timer behind", async () => {
  const { grant } = hanging();
  for (const isolation of ["pooled", "shared"] as const) {
    const stage = await puppet({ isolation, resources: { API: grant } });
    await stage.serve(function* (_, puppet) {
      puppet.submit(timer(1000), { ...fetch(puppet.open("API"), "/"), deadline: 500 });
      yield* [];
      puppet.abort();
    });
    expect(stage.simulation.clock.size).toBe(0);
  }
});
