// Gates, channels and shared operations of many requests in one instance, of which some are cancelled, trap or are killed.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { UNIT_MS, runtime } from "./arbitrary.ts";
import type { Op, Shared, Step } from "./script.ts";
import { LONG_MS, Stage } from "./stage.ts";
import type { Call, StageOptions } from "./stage.ts";

const RUNS = Number(process.env["RUNS"] ?? 100);

/** One request: what it submits at once, and what becomes of it. */
interface Visit {
  operations: Op[];
  /** Units of time, and which of its operations. */
  cancels: [after: number, number: number][];
  trap: number | undefined;
  kill: number | undefined;
}

/** Units of time between two requests; and how many are sent at the end, so that those that were killed are noticed. */
const PAUSE = 3;
const ROLL_CALLS = 20;

const after = fc.integer({ min: 1, max: 40 });

function visits(operation: fc.Arbitrary<Op>): fc.Arbitrary<Visit[]> {
  const visit = fc.record({
    operations: fc.array(operation, { minLength: 1, maxLength: 4 }),
    cancels: fc.array(fc.tuple(after, fc.nat(3)), { maxLength: 2 }),
    trap: fc.option(after, { nil: undefined, freq: 2 }),
    kill: fc.option(after, { nil: undefined, freq: 2 }),
  });
  return fc.array(visit, { minLength: 2, maxLength: 7 }).map((drawn) => {
    // A copy: what was drawn is drawn from again when a script is shrunk.
    const visits = structuredClone(drawn);
    let key = 1;
    for (const { operations } of visits)
      for (const op of operations) {
        const call = "of" in op && !Array.isArray(op.of) ? op.of : op;
        if ("answers" in call) call.key = key++;
        else if (op.op === "send") op.value = key++;
      }
    return visits;
  });
}

const call: fc.Arbitrary<Op> = fc.record({
  op: fc.constant("page" as const),
  key: fc.constant(0),
  answers: fc
    .tuple(fc.nat(9), fc.integer({ min: 1, max: UNIT_MS - 1 }), fc.constantFrom(200, 200, 0))
    .map(([units, rest, status]) => [{ ms: units * UNIT_MS + rest, status }]),
});

function timer(units: number, number: number, step: Step): Step {
  return { do: "submit", number, operation: { op: "timer", ms: units * UNIT_MS }, next: [step] };
}

function stepsOf({ operations, cancels, trap }: Visit): Step[] {
  return [
    ...operations.map((operation, number): Step => ({ do: "submit", number, operation, next: [] })),
    ...cancels.map(([units, number], index) => timer(units, 100 + index, { do: "cancel", number })),
    ...(trap === undefined ? [] : [timer(trap, 200, { do: "trap" })]),
  ];
}

/** Sends the requests one after the other, and lets happen to them what does. Returns when all that can have ended. */
async function play(
  shared: Shared,
  visits: Visit[],
  last: Step[],
  options: StageOptions,
  inFlight = 1_000,
): Promise<Stage> {
  const stage = await Stage.on({
    ...options,
    isolation: "shared",
    limits: { waitMs: LONG_MS, traps: 1_000, inFlight },
  });
  const kills: { at: number; kill: () => void }[] = [];
  const passTo = async (end: number): Promise<void> => {
    for (const { at, kill } of kills.toSorted((a, b) => a.at - b.at)) {
      const now = stage.simulation.clock.now();
      if (at <= now || at > end) continue;
      await stage.simulation.advance(at - now);
      kill();
    }
    await stage.simulation.advance(end - stage.simulation.clock.now());
  };
  for (const [index, visit] of visits.entries()) {
    await passTo(index * PAUSE * UNIT_MS);
    const event = stage.send(shared, stepsOf(visit));
    const { kill } = visit;
    // Half a millisecond later, so that it is never the same moment as anything else.
    if (kill !== undefined) kills.push({ at: (index * PAUSE + kill) * UNIT_MS + 0.5, kill: () => event.kill() });
  }
  for (let index = visits.length; index < visits.length + ROLL_CALLS; index++) {
    await passTo(index * PAUSE * UNIT_MS);
    stage.send(shared, []);
  }
  await passTo(1_000 * UNIT_MS);
  stage.send(shared, [{ do: "submit", number: 0, operation: { op: "timer", ms: UNIT_MS }, next: last }]);
  await stage.settle();
  return stage;
}

/** When a request was ended from outside, and when that was noticed; Infinity if it was not. */
function endOf(stage: Stage, visits: Visit[], request: number): { ended: number; noticed: number } {
  const noticed = stage.reports.find((report) => report.request === request && report.kind !== "dropped")?.at;
  const { kill = Infinity } = visits[request] ?? {};
  const killed = (request * PAUSE + kill) * UNIT_MS + 0.5;
  return { ended: Math.min(noticed ?? Infinity, killed), noticed: noticed ?? Infinity };
}

/** Which operations nobody has ended, and their handler must have heard of what they came to. */
function* survivors(stage: Stage, visits: Visit[]): Generator<{ request: number; number: number; at: number }> {
  for (const [request, { operations, cancels }] of visits.entries()) {
    if (endOf(stage, visits, request).noticed < Infinity) continue;
    for (const number of operations.keys()) {
      const entries = stage.entries.filter((entry) => entry.request === request && entry.number === number);
      expect(entries.length, `handler ${number} of request ${request}`).toBe(1);
      const isCancelled = cancels.some(([, victim]) => victim === number);
      if (!isCancelled) yield { request, number, at: request * PAUSE * UNIT_MS };
    }
  }
}

const COUNT: Step = { do: "count" };

function expectNothingLeft(stage: Stage): void {
  // The accept alone.
  expect(stage.counts).toMatchObject([{ inFlight: 1, running: 0, waiting: 0, bodies: 0 }]);
  expect(stage.leftovers()).toEqual([]);
  const odd = stage.reports.filter(({ kind }) => kind !== "trap" && kind !== "killed");
  expect(odd).toEqual([]);
}

test(
  "gate: never more run, never fewer while one waits, first come first served, whoever traps or is killed",
  { timeout: Math.max(120_000, RUNS * 100) },
  async () => {
    const limited = call.map((of): Op => ({ op: "limit", gate: 0, of }));
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      visits(limited),
      runtime,
      async (limit, visits, options) => {
        const stage = await play({ gates: [{ limit, room: 1_000 }], channels: [] }, visits, [COUNT], options);
        expectNothingLeft(stage);
        const until = (call: Call, which: "ended" | "noticed"): number =>
          Math.min(call.to ?? Infinity, endOf(stage, visits, call.request)[which]);
        const open = (at: number, which: "ended" | "noticed"): number =>
          stage.calls.filter((call) => call.from <= at && at < until(call, which)).length;
        for (const { from } of stage.calls) expect(open(from, "ended"), `at ${from}`).toBeLessThanOrEqual(limit);
        const moments = stage.calls.flatMap((call) => [call.from, until(call, "noticed")]);
        // One that was killed may have been given a place, until that is noticed.
        const isUnnoticed = (moment: number): boolean =>
          visits.some((_, request) => {
            const { ended, noticed } = endOf(stage, visits, request);
            return ended <= moment && moment <= noticed && ended < noticed;
          });
        let before = 0;
        for (const { request, number, at } of survivors(stage, visits)) {
          const op = visits[request]!.operations[number]! as Op & { op: "limit" };
          const own = stage.calls.find(({ key }) => key === (op.of as { key: number }).key)!;
          // In the order in which they came.
          expect(own.from).toBeGreaterThanOrEqual(before);
          before = own.from;
          for (const moment of moments)
            if (moment >= at && moment < own.from && !isUnnoticed(moment))
              expect(open(moment, "noticed"), `at ${moment}`).toBe(limit);
        }
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  },
);

test(
  "gate: no place is lost when the host is full, whoever traps or is killed",
  { timeout: Math.max(120_000, RUNS * 100) },
  async () => {
    const mapped = fc.oneof(
      call,
      call.map((of): Op => ({
        op: "retry",
        policy: { attempts: 3, base: 1, factor: 1, cap: 1, attempt: 0, badStatus: true },
        of,
      })),
      call.map((of): Op => ({ op: "map", of })),
      { arbitrary: call.map((of): Op => ({ op: "mapTrap", of })), weight: 1 },
      call.map((of): Op => ({ op: "gather", of: [of, { op: "noop" }] })),
    );
    const limited = mapped.map((of): Op => ({ op: "limit", gate: 0, of }));
    const property = fc.asyncProperty(
      fc.integer({ min: 3, max: 12 }),
      visits(limited),
      runtime,
      async (inFlight, visits, options) => {
        const stage = await play({ gates: [{ limit: 2, room: 5 }], channels: [] }, visits, [COUNT], options, inFlight);
        expect(stage.counts).toMatchObject([{ inFlight: 1, running: 0, waiting: 0, bodies: 0 }]);
        expect(stage.leftovers()).toEqual([]);
        expect([...survivors(stage, visits)].length).toBeLessThanOrEqual(
          visits.flatMap((visit) => visit.operations).length,
        );
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  },
);

test(
  "share: one operation for each key at a time, and all get what it comes to, whoever traps or is killed",
  { timeout: Math.max(120_000, RUNS * 100) },
  async () => {
    const sharing = fc.tuple(fc.nat(1), call).map(([key, of]): Op => ({ op: "share", key, of }));
    const property = fc.asyncProperty(visits(sharing), runtime, async (visits, options) => {
      const stage = await play({ gates: [], channels: [] }, visits, [COUNT], options);
      expectNothingLeft(stage);
      const keyOf = new Map<number, number>();
      for (const { operations } of visits)
        for (const op of operations) if (op.op === "share") keyOf.set((op.of as { key: number }).key, op.key);
      for (const key of [0, 1]) {
        const calls = stage.calls.filter((call) => keyOf.get(call.key) === key);
        for (const [index, { from }] of calls.entries())
          for (const other of calls.slice(0, index)) {
            const end = Math.min(other.to ?? Infinity, endOf(stage, visits, other.request).noticed);
            expect(end, `at ${from}`).toBeLessThanOrEqual(from);
          }
      }
      for (const { request, number } of survivors(stage, visits)) {
        const op = visits[request]!.operations[number]! as Op & { op: "share" };
        const { at, results } = stage.entries.find((entry) => entry.request === request && entry.number === number)!;
        const source = stage.calls.filter(({ key, to }) => keyOf.get(key) === op.key && to === at);
        expect(source.length, `a call that ended at ${at}`).toBeGreaterThan(0);
        if (results[0] === Status.Ok) expect(source.map(({ key }) => key * 100)).toContain(results[2]);
        else expect(results[0]).toBe(Status.Network);
      }
    });
    await fc.assert(property, { numRuns: RUNS });
  },
);

test(
  "channel: no value is lost or doubled, whoever is cancelled, traps or is killed",
  { timeout: Math.max(120_000, RUNS * 100) },
  async () => {
    const part = fc.oneof(
      fc.record({ op: fc.constant("send" as const), channel: fc.constant(0), value: fc.constant(0) }),
      fc.record({ op: fc.constant("receive" as const), channel: fc.constant(0) }),
    );
    const property = fc.asyncProperty(fc.nat(3), visits(part), runtime, async (capacity, visits, options) => {
      const count = visits.flatMap(({ operations }) => operations).length;
      // What is left, when nobody sends or receives any more.
      const drain: Step[] = [
        { do: "closeChannel", channel: 0 },
        ...Array.from({ length: count }, (_, index) => receive(300 + index)),
        { do: "submit", number: 400, operation: { op: "timer", ms: UNIT_MS }, next: [COUNT] },
      ];
      const stage = await play({ gates: [], channels: [capacity] }, visits, drain, options);
      expectNothingLeft(stage);
      const received = stage.entries
        .filter((entry) => entry.results[0] === Status.Ok && (entry.number >= 300 || isReceive(visits, entry)))
        .filter(({ number }) => number !== 400)
        .map(({ results }) => results[2]!);
      expect(received.length, "doubled").toBe(new Set(received).size);
      const sent = stage.entries.filter((entry) => entry.results[0] === Status.Ok && isSend(visits, entry));
      const values = sent.map(
        ({ request, number }) => (visits[request]!.operations[number] as { value: number }).value,
      );
      expect(
        values.filter((value) => !received.includes(value)),
        "lost",
      ).toEqual([]);
    });
    await fc.assert(property, { numRuns: RUNS });
  },
);

const receive = (number: number): Step => ({
  do: "submit",
  number,
  operation: { op: "receive", channel: 0 },
  next: [],
});

interface Heard {
  request: number;
  number: number;
}

const isReceive = (visits: Visit[], { request, number }: Heard): boolean =>
  visits[request]?.operations[number]?.op === "receive";
const isSend = (visits: Visit[], { request, number }: Heard): boolean =>
  visits[request]?.operations[number]?.op === "send";
