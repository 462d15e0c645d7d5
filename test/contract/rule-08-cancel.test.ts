// Rule 8: a cancel that won is kept, even if the work has succeeded meanwhile. The host aborts the work and queues the
// final completion in the same turn; a late result is disposed of exactly once.

import { expect, test } from "vitest";
import { CancelResult, FETCH_BODY, Status } from "../../assembly/abi.ts";
import { origin } from "../../src/index.ts";
import { Simulation } from "../../src/testing/index.ts";
import { guest } from "./guest.ts";
import { cancel, close, fetch, get, noop, post, puppet, read, respond, timer } from "./puppet.ts";
import type { Submission } from "./puppet.ts";

test("rule 8: a cancelled operation completes in the turn of its cancel, and so does the cancel", async () => {
  const simulation = new Simulation({ delay: [100, 100] });
  const resources = { STORE: simulation.kv(), API: simulation.origin("https://api.test", () => new Response("body")) };
  const stage = await puppet({ simulation, resources });
  await stage.serve(function* (exchange, puppet) {
    const [store, api] = [puppet.open("STORE"), puppet.open("API")];
    const victims: Submission[] = [
      timer(1000),
      get(store, "key"),
      fetch(api, "/"),
      { ...fetch(api, "/"), flags: FETCH_BODY },
    ];
    for (const victim of victims) {
      puppet.submit({ ...victim, slot: 100 });
      expect(puppet.submit({ ...cancel(100), slot: 200 })).toBe(1);
      const turn = stage.border.turns;
      const done = yield;
      expect(done.map(({ slot, status, auxiliary }) => [slot, status, auxiliary])).toEqual([
        [100, Status.Cancelled, 0],
        [200, Status.Ok, CancelResult.Won],
      ]);
      expect([stage.border.turns, simulation.clock.now()]).toEqual([turn + 1, 0]);
    }
    puppet.submit(respond(exchange));
    yield;
  });
  await stage.settle();
  expect([simulation.aborted, simulation.openBodies]).toEqual([2, 0]);
});

test("rule 8: who has completed, or never was, is TooLate", async () => {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    puppet.submit({ ...noop(), slot: 5 }, { ...cancel(5), slot: 6 });
    expect((yield).map(({ slot, status, auxiliary }) => [slot, status, auxiliary])).toEqual([
      [5, Status.Ok, 0],
      [6, Status.Ok, CancelResult.TooLate],
    ]);
    puppet.submit(cancel(5), cancel(12345), cancel(0xffff_ffff, 0xffff_ffff));
    expect((yield).map(({ auxiliary }) => auxiliary)).toEqual(Array(3).fill(CancelResult.TooLate));
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 8: cancelling twice ends the operation once", async () => {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    puppet.submit({ ...timer(1000), slot: 5 }, { ...cancel(5), slot: 6 }, { ...cancel(5), slot: 7 });
    expect((yield).map(({ slot, status, auxiliary }) => [slot, status, auxiliary])).toEqual([
      [5, Status.Cancelled, 0],
      [6, Status.Ok, CancelResult.Won],
      [7, Status.Ok, CancelResult.TooLate],
    ]);
    puppet.submit(respond(exchange));
    yield;
  });
});

test.for([0, FETCH_BODY])(
  "rule 8: a result that comes in spite of the abort is disposed of once, flags %i",
  async (flags) => {
    const simulation = new Simulation({ delay: [100, 100], faults: { abortIgnored: 1 } });
    let cancelled = 0;
    let pulled = 0;
    const upstream = () =>
      new Response(
        new ReadableStream(
          {
            pull: (controller) => {
              pulled++;
              controller.enqueue(new Uint8Array(1000));
            },
            cancel: () => void cancelled++,
          },
          { highWaterMark: 0 },
        ),
      );
    const stage = await puppet({ simulation, resources: { API: simulation.origin("https://api.test", upstream) } });
    await stage.serve(function* (exchange, puppet) {
      puppet.submit({ ...fetch(puppet.open("API"), "/"), flags, slot: 5 }, cancel(5));
      expect((yield)[0]!.status).toBe(Status.Cancelled);
      puppet.submit(timer(300));
      expect(yield).toHaveLength(1);
      expect([cancelled, pulled, simulation.openBodies]).toEqual([1, 0, 0]);
      puppet.submit(respond(exchange));
      yield;
    });
    expect(stage.proactor.counters.late).toBe(1);
  },
);

test("rule 8: a result that comes after the context has ended is disposed of too", async () => {
  for (const isolation of ["request", "pooled", "shared"] as const) {
    const simulation = new Simulation({ delay: [100, 100], faults: { abortIgnored: 1 } });
    const api = simulation.origin("https://api.test", () => new Response("body"));
    const stage = await puppet({ simulation, isolation, resources: { API: api } });
    await stage.serve(function* (exchange, puppet) {
      puppet.submit(fetch(puppet.open("API"), "/"));
      puppet.submit(respond(exchange));
      puppet.abort();
      yield;
    });
    await stage.settle();
    expect([isolation, simulation.openBodies, stage.proactor.counters.late]).toEqual([isolation, 0, 1]);
  }
});

test("rule 8: a fetch that waits for a connection is cancelled without ever having started", async () => {
  const simulation = new Simulation({ delay: [10, 10] });
  const seen: string[] = [];
  const api = simulation.origin("https://api.test", ({ url }) => (seen.push(new URL(url).pathname), new Response()));
  const stage = await puppet({ simulation, limits: { connections: 2 }, resources: { API: api } });
  await stage.serve(function* (exchange, puppet) {
    const origin = puppet.open("API");
    puppet.submit(
      ...["/a", "/b", "/c", "/d"].map((path, index) => Object.assign(fetch(origin, path), { slot: index + 1 })),
    );
    puppet.submit({ ...cancel(3), slot: 9 });
    for (let left = 5; left > 0;) left -= (yield).length;
    puppet.submit(respond(exchange));
    yield;
  });
  expect(seen).toEqual(["/a", "/b", "/d"]);
  expect([simulation.fetchingMost, simulation.openBodies]).toEqual([2, 0]);
});

test("rule 8: a body that was to be sent on is given back when its fetch is cancelled before it starts", async () => {
  const simulation = new Simulation({ delay: [10, 10] });
  const api = simulation.origin("https://api.test", () => new Response("body"));
  const hanging = origin("https://hanging.test", { fetcher: { fetch: () => new Promise(() => {}) } });
  const stage = await puppet({ simulation, limits: { connections: 1 }, resources: { API: api, HANGING: hanging } });
  await stage.serve(function* (exchange, puppet) {
    const [origin, never] = [puppet.open("API"), puppet.open("HANGING")];
    puppet.submit(fetch(origin, "/"));
    const [fetched] = yield;
    expect(simulation.openBodies).toBe(1);
    puppet.submit({ ...fetch(never, "/"), slot: 100 });
    puppet.submit({ ...post(origin, "/", fetched!.resource), slot: 101 });
    puppet.submit(cancel(101));
    yield;
    puppet.submit(timer(1));
    yield;
    expect(simulation.openBodies).toBe(0);
    puppet.submit(cancel(100), respond(exchange));
    yield;
  });
});

test("rule 8: reading is cancelled in the middle of a body, which is given back", async () => {
  let cancelled = 0;
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel: () => void cancelled++,
  });
  const request = new Request("http://puppet.test/", { method: "POST", body, duplex: "half" } as RequestInit);
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    puppet.submit({ ...read(exchange), slot: 5 });
    puppet.submit(timer(5));
    yield;
    puppet.submit(cancel(5));
    expect((yield)[0]!.status).toBe(Status.Cancelled);
    puppet.submit(timer(5));
    yield;
    expect(cancelled).toBe(1);
    puppet.submit({ ...read(exchange), slot: 6 });
    expect((yield)[0]!.status).toBe(Status.Closed);
    puppet.submit(respond(exchange));
    yield;
  }, request);
});

test("rule 8: the guest keeps Won although the result lies in the same batch, and gives the body back", async () => {
  const simulation = new Simulation();
  const arrived = new Promise<void>((resolve) => simulation.clock.setTimeout(resolve, 10));
  let open = 0;
  const fetcher = {
    fetch: () =>
      arrived.then(() => {
        open++;
        return new Response(new ReadableStream({ cancel: () => void open-- }, { highWaterMark: 0 }));
      }),
  };
  const { ask, border, proactor } = await guest("test/contract", {
    simulation,
    resources: { API: origin("https://api.test", { fetcher }) },
  });
  const { text } = await ask("/overrule");
  // Both came with one poll.
  expect(border.of("poll").filter(({ result }) => result === 2)).toHaveLength(1);
  expect(JSON.parse(text)).toEqual({
    first: CancelResult.Won,
    again: CancelResult.Won,
    status: Status.Cancelled,
    message: "",
    resource: 0,
    after: CancelResult.TooLate,
  });
  await simulation.settle();
  expect(open).toBe(0);
  expect(proactor.counters).toMatchObject({ contexts: 0, inFlight: 1 });
});

test("rule 8: cancelling a token that nobody ever had is Unknown to the guest", async () => {
  const { ask } = await guest("test/contract");
  expect((await ask("/unknown-token")).text).toBe("unknown");
});

test("rule 8: another context's operation cannot be cancelled", async () => {
  const stage = await puppet({ isolation: "shared" });
  const first = stage.send(function* (exchange, puppet) {
    puppet.submit({ ...timer(50), slot: 70 });
    expect((yield)[0]).toMatchObject({ slot: 70, status: Status.Ok });
    puppet.submit(respond(exchange, 201));
    yield;
  });
  const second = await stage.serve(function* (exchange, puppet) {
    puppet.submit(cancel(70), close(1));
    expect((yield).map(({ status, auxiliary }) => [status, auxiliary])).toEqual([
      [Status.Ok, CancelResult.TooLate],
      [Status.BadResource, 0],
    ]);
    puppet.submit(respond(exchange, 202));
    yield;
  });
  expect([second.status, (await stage.simulation.run(first)).status]).toEqual([202, 201]);
  stage.rethrow();
});
