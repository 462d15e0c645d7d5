// Shutdown (G13): graceful, what is in flight completes and nothing new begins; now, everything ends as ShutDown. After
// either the host holds nothing.

import { assert, asyncProperty, integer } from "fast-check";
import { describe, expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import type { Isolation, Shutdown } from "../../src/index.ts";
import { Simulation } from "../../src/testing/index.ts";
import { cancel, fetch, get, noop, puppet, put, respond, timer } from "./puppet.ts";
import type { Completion, Script, Stage } from "./puppet.ts";

const ISOLATIONS: Isolation[] = ["request", "pooled", "shared"];
const MODES: Shutdown[] = ["graceful", "now"];

const NOTHING = { contexts: 0, inFlight: 0, instances: 0 };

const statuses = (completions: readonly Completion[]): Status[] => completions.map(({ status }) => status);

/** A stage with a store and an origin whose calls take 10 ms. */
function staged(isolation?: Isolation): Promise<Stage> {
  const simulation = new Simulation({ delay: [10, 10] });
  const api = simulation.origin("https://api.test", () => new Response("page"));
  const resources = { STORE: simulation.kv(), API: api };
  return puppet({ simulation, ...(isolation && { isolation }), resources });
}

/** Several steps, with a cancel among them; `slot` is the request's own. */
const steps = (slot: number): Script =>
  function* (exchange, puppet) {
    const [store, api] = [puppet.open("STORE"), puppet.open("API")];
    puppet.submit(put(store, "key", "value"), timer(15));
    yield;
    puppet.submit({ ...fetch(api, "/"), slot, generation: 1 }, timer(3));
    yield;
    puppet.submit(cancel(slot));
    yield;
    puppet.submit(respond(exchange), get(store, "key"));
  };

/** Sends a request and shuts down while it is under way. */
async function shutDown(stage: Stage, script: Script, mode: Shutdown, afterMs = 5): Promise<Response> {
  const response = stage.send(script);
  await stage.simulation.advance(afterMs);
  await stage.simulation.run(stage.proactor.shutdown(mode));
  stage.rethrow();
  expect(stage.proactor.counters).toMatchObject(NOTHING);
  return response;
}

async function expectShutDown(response: Response): Promise<void> {
  expect([response.status, await response.json()]).toEqual([
    503,
    { error: "shutdown", detail: "The host is shutting down." },
  ]);
}

describe.for(ISOLATIONS)("isolation %s", (isolation) => {
  test("shutdown: graceful, what is in flight completes, nothing new begins, and an answer goes out", async () => {
    const stage = await staged(isolation);
    const seen: Status[][] = [];
    const response = await shutDown(
      stage,
      function* (exchange, puppet) {
        const [store, api] = [puppet.open("STORE"), puppet.open("API")];
        puppet.submit(timer(50), put(store, "key", "value"), fetch(api, "/"));
        for (let left = 3; left > 0; left -= seen.at(-1)!.length) seen.push(statuses(yield));
        puppet.submit(timer(1), get(store, "key"), fetch(api, "/"), noop());
        seen.push(statuses(yield));
        puppet.submit(respond(exchange, 201));
        yield;
      },
      "graceful",
    );
    expect(response.status).toBe(201);
    expect(seen.flat()).toEqual([...Array(3).fill(Status.Ok), ...Array(4).fill(Status.ShutDown)]);
    expect(stage.simulation.clock.now()).toBe(50);
    expect(stage.simulation.openBodies).toBe(0);
  });

  test("shutdown: now, everything in flight ends as ShutDown, and its work is aborted", async () => {
    const stage = await staged(isolation);
    let ended: Status[] = [];
    const response = await shutDown(
      stage,
      function* (exchange, puppet) {
        const [store, api] = [puppet.open("STORE"), puppet.open("API")];
        puppet.submit(timer(50_000), put(store, "key", "value"), fetch(api, "/"));
        ended = statuses(yield);
        puppet.submit(respond(exchange, 202));
      },
      "now",
    );
    expect(response.status).toBe(202);
    expect(ended).toEqual([Status.ShutDown, Status.ShutDown, Status.ShutDown]);
    expect(stage.simulation.clock.now()).toBe(5);
    expect(stage.simulation.aborted).toBe(1);
    await stage.simulation.settle();
    expect(stage.simulation.openBodies).toBe(0);
  });

  test.for(MODES)("shutdown: %s, who does not answer is answered 503, before the shutdown and after", async (mode) => {
    const stage = await staged(isolation);
    const response = await shutDown(
      stage,
      function* (_, puppet) {
        puppet.submit(timer(20));
        yield;
      },
      mode,
    );
    await expectShutDown(response);
    await expectShutDown(await stage.proactor.fetch(new Request("http://puppet.test/")));
    expect(stage.reports).toEqual([]);
    expect(stage.proactor.counters).toMatchObject(NOTHING);
  });

  test("shutdown: now, who begins anew whenever something ends is not waited for", async () => {
    const stage = await staged(isolation);
    let heard = 0;
    const response = await shutDown(
      stage,
      function* (_, puppet) {
        for (puppet.submit(timer(50_000)); ; puppet.submit(timer(50_000))) heard += (yield).length;
      },
      "now",
    );
    await expectShutDown(response);
    expect(heard).toBeGreaterThan(0);
  });

  test("shutdown: of many requests, each ends by itself", async () => {
    const stage = await staged(isolation);
    const responses = Array.from({ length: 20 }, (_, index) =>
      stage.send(function* (exchange, puppet) {
        puppet.submit(timer(index));
        yield;
        puppet.submit(respond(exchange, 200 + index));
        yield;
      }),
    );
    await stage.simulation.advance(10);
    await stage.simulation.run(stage.proactor.shutdown());
    expect((await Promise.all(responses)).map(({ status }) => status)).toEqual(
      responses.map((_, index) => 200 + index),
    );
    expect(stage.proactor.counters).toMatchObject(NOTHING);
  });

  test.for(MODES)("shutdown: %s at every step leaves nothing behind", (mode) =>
    assert(
      asyncProperty(integer({ min: 0, max: 60 }), integer({ min: 1, max: 4 }), async (afterMs, requests) => {
        const stage = await staged(isolation);
        const responses = Array.from({ length: requests }, (_, index) => stage.send(steps(1000 + index)));
        await stage.simulation.advance(afterMs);
        await stage.simulation.run(stage.proactor.shutdown(mode));
        expect(stage.proactor.counters).toMatchObject(NOTHING);
        for (const { status } of await Promise.all(responses)) expect([200, 503]).toContain(status);
        await stage.simulation.settle();
        expect(stage.simulation.openBodies).toBe(0);
        expect(stage.reports).toEqual([]);
      }),
      { numRuns: 15 },
    ),
  );
});

test("shutdown: the accept of an instance that is in use ends as ShutDown", async () => {
  const stage = await staged();
  let accepted: Completion[] = [];
  await shutDown(
    stage,
    function* (exchange, puppet) {
      puppet.submit(timer(20));
      yield;
      accepted = puppet.strays;
      puppet.submit(respond(exchange));
      yield;
    },
    "graceful",
  );
  expect(accepted).toMatchObject([{ slot: 0, status: Status.ShutDown, flags: 0 }]);
});

test("shutdown: a graceful one is cut short by another, and both end", async () => {
  const stage = await staged();
  const response = stage.send(function* (_, puppet) {
    puppet.submit(timer(50_000));
    yield;
  });
  await stage.simulation.advance(1);
  const shutdowns = [stage.proactor.shutdown(), stage.proactor.shutdown("now"), stage.proactor.shutdown()];
  await stage.simulation.run(Promise.all(shutdowns));
  expect(stage.simulation.clock.now()).toBe(1);
  await expectShutDown(await response);
});

test("shutdown: of a proactor without requests it is done at once, and again", async () => {
  const stage = await staged();
  await stage.proactor.shutdown();
  await stage.proactor.shutdown("now");
  expect(stage.proactor.counters).toMatchObject(NOTHING);
});

test("shutdown: a mode that is misspelt is refused, and nothing ends", async () => {
  const stage = await staged();
  await expect(stage.proactor.shutdown("gracefully" as Shutdown)).rejects.toThrow(
    'shutdown: "gracefully" is none of graceful, now',
  );
  const response = await stage.serve(function* (exchange, puppet) {
    puppet.submit(respond(exchange));
    yield;
  });
  expect(response.status).toBe(200);
});

test("shutdown: what a grant calls inside of submit takes effect when the turn is over", async () => {
  const simulation = new Simulation({ delay: [10, 10] });
  let shutdown: Promise<void> | undefined;
  const store = simulation.kv();
  const stage = await puppet({
    simulation,
    resources: {
      STORE: {
        ...store,
        store: {
          ...store.store,
          get: (...args) => {
            shutdown = stage.proactor.shutdown("now");
            return store.store.get(...args);
          },
        },
      },
    },
  });
  const response = stage.send(function* (exchange, puppet) {
    puppet.submit(get(puppet.open("STORE"), "key"));
    expect(statuses(yield)).toEqual([Status.ShutDown]);
    puppet.submit(respond(exchange, 204));
    yield;
  });
  expect((await simulation.run(response)).status).toBe(204);
  await simulation.run(shutdown!);
  stage.rethrow();
  expect(stage.proactor.counters).toMatchObject(NOTHING);
});
