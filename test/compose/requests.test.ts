// Composite operations of several requests in one instance: what one of them holds when it ends is the others'.

import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { UNIT_MS } from "./arbitrary.ts";
import type { Op, Shared, Step } from "./script.ts";
import { Stage } from "./stage.ts";

const ONE_AT_A_TIME: Shared = { gates: [{ limit: 1, room: 9 }], channels: [0] };

const timer = (units: number): Op => ({ op: "timer", ms: units * UNIT_MS });
const limited = (of: Op): Op => ({ op: "limit", gate: 0, of });
const submit = (number: number, operation: Op, next: Step[] = []): Step => ({ do: "submit", number, operation, next });

/** When the handler was called, in units, and with what. */
const heard = (stage: Stage): [request: number, number: number, at: number, status: Status][] =>
  stage.entries.map(({ request, number, at, results }) => [request, number, at / UNIT_MS, results[0]!]);

async function shared(): Promise<Stage> {
  return Stage.on({ isolation: "shared", limits: { waitMs: 100 * UNIT_MS } });
}

test("gate: a place is handed on to another request", async () => {
  const stage = await shared();
  for (const _ of [0, 1, 2]) stage.send(ONE_AT_A_TIME, [submit(0, limited(timer(10)))]);
  await stage.settle();
  expect(heard(stage)).toEqual([
    [0, 0, 10, Status.Ok],
    [1, 0, 20, Status.Ok],
    [2, 0, 30, Status.Ok],
  ]);
  expect(stage.leftovers()).toEqual([]);
});

test("gate: a request that traps hands its place on", async () => {
  const stage = await shared();
  stage.send(ONE_AT_A_TIME, [submit(0, limited(timer(50))), submit(1, timer(10), [{ do: "trap" }])]);
  stage.send(ONE_AT_A_TIME, [submit(0, limited(timer(10)))]);
  await stage.settle();
  expect(heard(stage)).toEqual([
    [0, 1, 10, Status.Ok],
    [1, 0, 20, Status.Ok],
  ]);
  expect(stage.reports).toMatchObject([{ kind: "trap" }]);
  expect(stage.leftovers()).toEqual([]);
});

test("gate: a request that traps hands on the place that it was given on this turn", async () => {
  const stage = await shared();
  const trap = submit(2, { op: "noop" }, [{ do: "trap" }]);
  stage.send(ONE_AT_A_TIME, [submit(0, limited(timer(10)), [trap]), submit(1, limited(timer(10)))]);
  stage.send(ONE_AT_A_TIME, [submit(0, limited(timer(10)))]);
  await stage.settle();
  expect(heard(stage)).toEqual([
    [0, 0, 10, Status.Ok],
    [0, 2, 10, Status.Ok],
    [1, 0, 20, Status.Ok],
  ]);
  expect(stage.leftovers()).toEqual([]);
});

test("gate: a place that a killed request held is handed on when the platform's silence is noticed", async () => {
  const stage = await shared();
  const killed = stage.send(ONE_AT_A_TIME, [submit(0, limited(timer(50)))]);
  stage.send(ONE_AT_A_TIME, [submit(0, limited(timer(10)))]);
  await stage.simulation.advance(10 * UNIT_MS);
  killed.kill();
  // The first asks who has been still since the last time, the second finds who has not answered.
  for (const _ of [0, 1]) {
    stage.send(ONE_AT_A_TIME, []);
    await stage.simulation.advance(UNIT_MS);
  }
  await stage.settle();
  expect(heard(stage)).toMatchObject([[1, 0, expect.any(Number), Status.Ok]]);
  expect(heard(stage)[0]![2]).toBeLessThan(25);
  expect(stage.reports).toMatchObject([{ kind: "killed" }]);
  expect(stage.leftovers()).toEqual([]);
});

test("channel: a value that a request has taken and not heard of is the next one's, if it traps", async () => {
  const stage = await shared();
  const channels = { gates: [], channels: [1] };
  const send = submit(0, { op: "send", channel: 0, value: 7 });
  const receive: Op = { op: "receive", channel: 0 };
  stage.send(channels, [send]);
  await stage.simulation.advance(UNIT_MS);
  stage.send(channels, [submit(1, receive), submit(2, { op: "noop" }, [{ do: "trap" }])]);
  stage.send(channels, [submit(3, receive)]);
  await stage.settle();
  expect(stage.entries.map(({ number, results }) => [number, results[0], results[2]])).toEqual([
    [0, Status.Ok, 0],
    [2, Status.Ok, 0],
    [3, Status.Ok, 7],
  ]);
});

test("abort: before any handler ran it ends no other request's operations", async () => {
  const stage = await shared();
  stage.send(ONE_AT_A_TIME, [submit(0, { op: "steps", of: [timer(10), timer(10)] })]);
  await stage.simulation.advance(15 * UNIT_MS);
  stage.warnOfCpuLimit();
  stage.send(ONE_AT_A_TIME, []);
  await stage.settle();
  expect(heard(stage)).toEqual([[0, 0, 20, Status.Ok]]);
  expect(stage.reports).toMatchObject([{ kind: "trap" }]);
  expect(stage.leftovers()).toEqual([]);
});

test("report: what a composite drops is reported when the host is full too", async () => {
  const stage = await Stage.on({ limits: { inFlight: 1 } });
  stage.send(ONE_AT_A_TIME, [submit(0, { op: "fallback", first: { op: "noop" }, second: { op: "noop" } })]);
  await stage.settle();
  expect(heard(stage)).toEqual([[0, 0, 0, Status.Again]]);
  expect(stage.reports).toMatchObject([{ kind: "dropped", operation: "fallback", status: Status.Again }]);
});

test("report: what a composite drops is reported while the host shuts down too", async () => {
  const stage = await Stage.on();
  const first: Op = { op: "get", key: 1, answers: [{ ms: 5 * UNIT_MS, status: 0 }] };
  stage.send(ONE_AT_A_TIME, [submit(0, { op: "fallback", first, second: timer(1) })]);
  await stage.simulation.advance(UNIT_MS);
  void stage.proactor.shutdown();
  await stage.settle();
  expect(heard(stage)).toEqual([[0, 0, 5, Status.ShutDown]]);
  expect(stage.reports).toMatchObject([{ kind: "dropped", operation: "fallback", status: Status.RateLimited }]);
});
