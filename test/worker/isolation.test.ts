// Isolation under load, on real workerd: two hundred requests at once, of which many trap, fall silent, are killed by
// `ctx.abort()` or left by their caller. The others must be answered with what is theirs, and nothing may be left.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ABORTS,
  CONDEMNED,
  DOOMED,
  HARD_TRAPS,
  KILLED,
  PEACEFUL,
  Subject,
  TRAPPED,
  UNANSWERED,
  drawn,
  isExpected,
  recipesFor,
  send,
  visited,
} from "../support/visits.ts";
import type { SubjectCounters, Visit } from "../support/visits.ts";

const REQUESTS = 200;
/** Every run draws the same requests; SEED=… draws others. */
const SEED = Number(process.env["SEED"] ?? 20_261_006);

/** Expects that nothing is left, soon. Returns the counters. */
async function expectNothingLeft(subject: Subject): Promise<SubjectCounters> {
  const { counters, left } = await subject.settled();
  expect(left).toEqual([]);
  return counters;
}

/** Sends them all at once and expects of each what may come back. */
async function expectAnswers(subject: Subject, visits: Visit[]): Promise<string[]> {
  const answers = await Promise.all(visits.map((visit) => send(subject, visit)));
  const wrong = visits.map((visit, index) => ({ ...visit, answer: answers[index]! }));
  expect(wrong.filter((visit) => !isExpected(visit, visit.answer))).toEqual([]);
  return answers;
}

const count = <T>(all: T[], is: (one: T) => boolean): number => all.filter(is).length;

describe.for(["request", "pooled", "shared"] as const)("%s", (isolation) => {
  let subject: Subject;

  beforeAll(async () => {
    subject = await Subject.start(isolation, { traps: 1_000 });
  });
  afterAll(() => subject.dispose());

  test("200 requests at once, some trapping: each gets its own answer, and no timer is left", async () => {
    const recipes = [...PEACEFUL, ...ABORTS, ...(isolation === "shared" ? [] : HARD_TRAPS)];
    const answers = await expectAnswers(subject, drawn(recipes, REQUESTS, SEED));
    const { timers, killed, traps, reports } = await expectNothingLeft(subject);
    expect([timers, killed]).toEqual([0, 0]);
    expect(traps).toBe(count(answers, (answer) => answer.startsWith(TRAPPED)));
    expect(count(reports, ({ kind }) => kind === "trap")).toBe(traps);
    expect(count(reports, ({ kind }) => kind === "unanswered")).toBe(
      count(answers, (answer) => answer.startsWith(UNANSWERED)),
    );
    // What a handler threw is reported for its own request.
    const thrown = reports.filter(({ kind, file }) => kind === "trap" && file !== undefined);
    expect(thrown.length).toBeGreaterThan(10);
    for (const { message, request } of thrown)
      expect(message).toBe(`trap ${new URL(request!.slice("GET ".length)).pathname}`);
  });

  test("200 requests at once, some killed or left besides: the others get their own answer, and nothing is left", async () => {
    const before = await subject.counters();
    const visits = drawn(recipesFor(isolation), REQUESTS, SEED + 1);
    const answers = await expectAnswers(subject, visits);
    const after = await expectNothingLeft(subject);
    // Killed in the middle of it, for certain; the rest may have ended just before.
    const certain = count(visits, ({ how }) => ["wait", "spin", "wait-after", "doom"].includes(how));
    const perhaps = count(visits, ({ how, headers }) => how === "ok" && Object.keys(headers).length > 0);
    expect(certain).toBeGreaterThan(20);
    expect(after.killed - before.killed).toBeGreaterThanOrEqual(certain);
    expect(after.killed - before.killed).toBeLessThanOrEqual(certain + perhaps);
    expect(after.traps - before.traps).toBe(count(answers, (answer) => answer.startsWith(TRAPPED)));
    if (isolation === "shared") expect(after.instantiated).toBe(1);
  });

  // Nothing outlives a request in the first mode.
  const testReuse = test.skipIf(isolation === "request");

  testReuse("a request that is slow, or late because the processor is busy, is not taken for killed", async () => {
    const { killed } = await subject.counters();
    const held = Array.from({ length: 5 }, (_, index) => subject.send(`/hold/${index}`));
    // All of them are begun before any of them goes on.
    const burnt = await Promise.all(Array.from({ length: 50 }, () => subject.send("/burn/1")));
    expect(new Set(burnt)).toEqual(new Set(["200 burnt"]));
    expect(await Promise.all(held)).toEqual(held.map((_, index) => `200 upstream /held/${index}\n`));
    expect((await expectNothingLeft(subject)).killed).toBe(killed);
  });

  testReuse("memory that has grown too much is replaced, and who uses it stays to the end", async () => {
    const paths = Array.from({ length: 45 }, (_, index) => ["/large/1", "/ok/1", "/trap/1"][index % 3]!);
    const answers = await Promise.all([...paths, ...paths].map((path) => subject.send(path)));
    expect(count(answers, (answer) => answer === "200 3000000")).toBe(30);
    expect(count(answers, (answer) => answer === visited("1"))).toBe(30);
    expect(count(answers, (answer) => answer.startsWith(TRAPPED))).toBe(30);
    await expectNothingLeft(subject);
  });

  test("an instance whose request was killed on its stack serves no other", async () => {
    for (const path of ["/doom-idle/1", "/doom/1"]) {
      expect(await subject.send(path)).toMatch(DOOMED);
      await expectNothingLeft(subject);
    }
  });
});

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function expectAll(answers: Promise<string>[], beginning: string): Promise<void> {
  for (const answer of await Promise.all(answers)) expect(answer.slice(0, beginning.length)).toBe(beginning);
}

describe("shared", () => {
  let subject: Subject;

  beforeAll(async () => {
    subject = await Subject.start("shared", { traps: 3, inFlight: 100, argumentBytes: 20_000 });
  });
  afterAll(() => subject.dispose());

  /** Begins requests that wait, and lets them get to where they do. */
  async function begin(...paths: string[]): Promise<Promise<string>[]> {
    const answers = paths.map((path) => subject.send(path));
    await wait(100);
    return answers;
  }

  test("a trap that is no abort fails all requests in flight, and the next are served by a new instance", async () => {
    const { instantiated } = await subject.counters();
    // The last one always has something to do: nothing that it waits for could tell it.
    const waiting = await begin("/hold/1", "/hold/2", "/spin/3");
    await expectAll([subject.send("/unreachable/1")], TRAPPED);
    await expectAll(waiting, CONDEMNED);
    await expectAll([subject.send("/ok/next")], visited("next"));
    expect((await expectNothingLeft(subject)).instantiated).toBe(instantiated + 1);
  });

  test("one abort too many fails all requests in flight, and none of those before it does", async () => {
    const { instantiated } = await subject.counters();
    const spared = await begin("/hold/1", "/hold/2");
    await expectAll([subject.send("/trap/1"), subject.send("/trap-at-once/2")], TRAPPED);
    await expectAll(spared, "200 upstream /held/");
    const waiting = await begin("/hold/3", "/hold/4");
    await expectAll([subject.send("/trap/3")], TRAPPED);
    await expectAll(waiting, CONDEMNED);
    await expectAll([subject.send("/ok/next")], visited("next"));
    expect((await expectNothingLeft(subject)).instantiated).toBe(instantiated + 1);
  });

  test.for(["/doom/1", "/doom-idle/1"])(
    "%s, killed on the guest's stack, fails all requests in flight",
    async (path) => {
      const { instantiated } = await subject.counters();
      const waiting = await begin("/hold/1", "/hold/2");
      await expectAll([subject.send(path)], DOOMED);
      await expectAll([subject.send("/ok/next")], visited("next"));
      await expectAll(waiting, CONDEMNED);
      expect((await expectNothingLeft(subject)).instantiated).toBe(instantiated + 1);
    },
  );

  test("what killed requests had in flight no longer counts towards the limits", async () => {
    const { killed, refused } = await subject.counters();
    for (let batch = 1; batch <= 2; batch++) {
      // Five operations each, of one hundred that the limit allows.
      const answers = Array.from({ length: 15 }, (_, index) => subject.send(`/wait/${index}`, { "x-kill": "30" }));
      await expectAll(answers, KILLED);
      expect((await expectNothingLeft(subject)).killed).toBe(killed + batch * 15);
    }
    expect((await subject.counters()).refused).toBe(refused);
  });
});
