// Rule 6: in flight ≤ capacity. A submission over the limit is refused synchronously and changes nothing. An admitted
// one has its completion's place reserved, so completing cannot fail and nothing is ever dropped.

import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { encodePairs } from "../../src/pairs.ts";
import { Simulation } from "../../src/testing/index.ts";
import { guest } from "./guest.ts";
import { cancel, close, fetch, get, noop, puppet, put, respond, timer } from "./puppet.ts";
import type { Submission } from "./puppet.ts";

test("rule 6: what is over the limit is refused at once, and changes nothing", async () => {
  const stage = await puppet({ limits: { inFlight: 4 } });
  const response = await stage.serve(function* (exchange, puppet) {
    // The accept takes one place.
    expect(puppet.submit(timer(10), timer(20), timer(30), timer(5), timer(5))).toBe(3);
    expect(puppet.submit(timer(5))).toBe(0);
    expect(stage.proactor.counters).toMatchObject({ inFlight: 4, refused: 2 });
    expect([(yield).length, stage.simulation.clock.now()]).toEqual([1, 10]);
    expect(puppet.submit(timer(5), timer(5))).toBe(1);
    for (const due of [15, 20, 30]) expect([(yield).length, stage.simulation.clock.now()]).toEqual([1, due]);
    puppet.submit(respond(exchange, 204));
    yield;
  });
  expect(response.status).toBe(204);
  expect(stage.proactor.counters).toMatchObject({ contexts: 0, inFlight: 1, completed: 5, refused: 3 });
  expect(stage.simulation.clock.size).toBe(0);
});

test("rule 6: a refused submission has no effect outside either", async () => {
  const simulation = new Simulation();
  const sent: string[] = [];
  const api = simulation.origin("https://api.test", ({ url }) => (sent.push(url), new Response()));
  const stage = await puppet({ simulation, limits: { inFlight: 2 }, resources: { API: api } });
  await stage.serve(function* (exchange, puppet) {
    const origin = puppet.open("API");
    expect(puppet.submit(fetch(origin, "/admitted"), fetch(origin, "/refused"))).toBe(1);
    yield;
    puppet.submit(respond(exchange));
    yield;
  });
  await stage.settle();
  expect(sent).toEqual(["https://api.test/admitted"]);
});

test("rule 6: a chain of any length needs one place", async () => {
  const { ask, proactor } = await guest("test/contract", { limits: { inFlight: 2, runs: 1000 }, memory: false });
  expect(await ask("/chain?n=20000")).toEqual({ status: 200, text: "20000" });
  expect(proactor.counters.refused).toBe(0);
});

test("rule 6: as many as fit complete at once, and none is dropped", async () => {
  const count = 10_000;
  const stage = await puppet({ limits: { inFlight: count + 1 }, memory: false });
  await stage.serve(function* (exchange, puppet) {
    for (let sent = 0; sent < count; sent += 100) {
      expect(puppet.submit(...Array.from({ length: 100 }, () => timer(10)))).toBe(100);
    }
    expect(puppet.submit(timer(10))).toBe(0);
    for (let left = count; left > 0;) left -= (yield).length;
    puppet.submit(respond(exchange));
    yield;
  });
  expect(stage.proactor.counters).toMatchObject({ completed: count + 1, inFlight: 1 });
});

test("rule 6: a completion keeps its place until it is polled", async () => {
  const stage = await puppet({ limits: { inFlight: 2 } });
  await stage.serve(function* (exchange, puppet) {
    expect(puppet.submit(noop())).toBe(1);
    expect(puppet.submit(noop())).toBe(0);
    yield;
    expect(puppet.submit(noop())).toBe(1);
    yield;
    puppet.submit(respond(exchange));
    yield;
  });
});

test.for<[string, (exchange: number, body: number) => Submission]>([
  ["an answer", (exchange) => respond(exchange, 204)],
  ["a cancel", () => cancel(100)],
  ["a close", (_, body) => close(body)],
])("rule 6: when all places are taken, %s is admitted all the same", async ([, relief]) => {
  const simulation = new Simulation({ delay: [10, 10] });
  const api = simulation.origin("https://api.test", () => new Response("body"));
  const stage = await puppet({ simulation, limits: { inFlight: 3 }, resources: { API: api } });
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(fetch(puppet.open("API"), "/"));
    const [fetched] = yield;
    expect(puppet.submit({ ...timer(1000), slot: 100 }, timer(20), timer(20))).toBe(2);
    expect(puppet.submit({ ...relief(exchange, fetched!.resource), slot: 500 })).toBe(1);
    const relieved = (yield).find(({ slot }) => slot === 500);
    expect(relieved!.status).toBe(Status.Ok);
    yield;
    puppet.submit(cancel(100), respond(exchange));
    yield;
  });
  await stage.settle();
  expect(stage.proactor.counters).toMatchObject({ contexts: 0, inFlight: 1 });
  expect(simulation.openBodies).toBe(0);
});

test.for<[string, (exchange: number) => Submission]>([
  ["answers with a bad status", (exchange) => respond(exchange, 99)],
  ["answers with a reserved flag", (exchange) => ({ ...respond(exchange), flags: 0x40 })],
  ["answers with a bad header", (exchange) => ({ ...respond(exchange), meta: encodePairs([["a b", "c"]]) })],
  ["answers from a resource that is none", (exchange) => ({ ...respond(exchange), arguments: [200, 77] })],
  ["cancels with a reserved word", () => ({ ...cancel(100), reserved: 1 })],
  ["cancels with a pointer outside", () => ({ ...cancel(100), name: { at: 0xffff_0000, bytes: 9 } })],
  ["closes with a reserved flag", () => ({ ...close(1), flags: 1 })],
  ["closes with a bad slot", () => ({ ...close(1), slot: 0xffff_ffff })],
])("rule 6: a guest that %s gains no place by it", async ([, wrong]) => {
  const stage = await puppet({ limits: { inFlight: 3 }, resources: { STORE: new Simulation().kv() } });
  await stage.serve(function* (exchange, puppet) {
    expect(puppet.open("STORE")).toBe(1 + exchange);
    expect(puppet.submit({ ...timer(1000), slot: 100 }, timer(20))).toBe(2);
    for (let again = 0; again < 50; again++) puppet.submit({ ...wrong(exchange), slot: 0 });
    expect(stage.proactor.counters.inFlight).toBeLessThanOrEqual(4);
    puppet.submit(cancel(100), respond(exchange));
    for (let left = 3; left > 0;) left -= (yield).length;
  });
  await stage.settle();
  expect(stage.proactor.counters).toMatchObject({ contexts: 0, inFlight: 1 });
});

test("rule 6: the bytes of arguments are bounded too; what is refused for them is admitted when others have gone", async () => {
  const simulation = new Simulation({ delay: [10, 10] });
  const stage = await puppet({ simulation, limits: { argumentBytes: 1000 }, resources: { STORE: simulation.kv() } });
  await stage.serve(function* (exchange, puppet) {
    const store = puppet.open("STORE");
    const large = put(store, "k", "v".repeat(600));
    expect(puppet.submit(large, large)).toBe(1);
    expect(puppet.submit(noop(), get(store, "k"), large)).toBe(2);
    for (let left = 3; left > 0;) left -= (yield).length;
    expect(puppet.submit(large)).toBe(1);
    yield;
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 6: arguments that could never be held fail instead of being refused for ever", async () => {
  const simulation = new Simulation({ delay: [10, 10] });
  const stage = await puppet({ simulation, limits: { argumentBytes: 1000 }, resources: { STORE: simulation.kv() } });
  await stage.serve(function* (exchange, puppet) {
    const store = puppet.open("STORE");
    // Something is held meanwhile.
    expect(puppet.submit(put(store, "k", "v".repeat(600)))).toBe(1);
    expect(puppet.submit(put(store, "k", "v".repeat(1000)))).toBe(1);
    expect((yield)[0]!.status).toBe(Status.TooBig);
    expect(puppet.submit({ ...noop(), name: { at: 0, bytes: 0xffff_ffff } })).toBe(1);
    expect((yield)[0]!.status).toBe(Status.Fault);
    yield;
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 6: arguments are let go of when their context ends, however it ends", async () => {
  const simulation = new Simulation({ delay: [1000, 1000] });
  const stage = await puppet({
    simulation,
    isolation: "shared",
    limits: { argumentBytes: 1000 },
    resources: { STORE: simulation.kv() },
  });
  for (let request = 0; request < 5; request++) {
    await stage.serve(function* (_, puppet) {
      expect(puppet.submit(put(puppet.open("STORE"), "k", "v".repeat(900)))).toBe(1);
      yield* [];
      puppet.abort();
    });
  }
  expect(stage.proactor.counters).toMatchObject({ contexts: 0, traps: 5 });
  await stage.settle();
});

test("rule 6: an answer behind refused submissions of the same turn still goes out", async () => {
  const { ask, simulation, proactor } = await guest("test/contract", { limits: { inFlight: 3 } });
  expect(await ask("/full?n=10")).toEqual({ status: 200, text: "answered" });
  await simulation.settle();
  expect(proactor.counters).toMatchObject({ contexts: 0, inFlight: 1 });
});

test("rule 6: resources are bounded: a guest that keeps all it gets is told Again", async () => {
  const simulation = new Simulation({ delay: [0, 0] });
  const api = simulation.origin("https://api.test", () => new Response("body"));
  const stage = await puppet({ simulation, limits: { resources: 8 }, resources: { API: api } });
  await stage.serve(function* (exchange, puppet) {
    const origin = puppet.open("API");
    // One is the exchange, one the origin.
    for (let kept = 2; kept < 8; kept++) {
      puppet.submit(fetch(origin, "/"));
      expect((yield)[0]!.status).toBe(Status.Ok);
    }
    puppet.submit(fetch(origin, "/"));
    expect((yield)[0]!.status).toBe(Status.Again);
    expect(puppet.open("API")).toBe(Status.Again);
    puppet.submit(close(exchange + 2));
    yield;
    puppet.submit(fetch(origin, "/"));
    expect((yield)[0]!.status).toBe(Status.Ok);
    puppet.submit(respond(exchange));
    yield;
  });
  expect(simulation.openBodies).toBe(0);
});
