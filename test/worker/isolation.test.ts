// Isolation under load, on real workerd: two hundred requests at once, of which many trap, fall silent, are killed by
// `ctx.abort()` or left by their caller. The others must be answered with what is theirs, and nothing may be left.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import type { Local } from "../../scripts/miniflare.ts";
import type { Counters, ErrorReport, Isolation, Limits } from "../../src/index.ts";
import { Random } from "../../src/testing/index.ts";

const REQUESTS = 200;
/** Every run draws the same requests; SEED=… draws others. */
const SEED = Number(process.env["SEED"] ?? 20_261_006);

/** The test Worker of test/workerd/fixture/isolation.ts, from outside. */
class Subject {
  private constructor(
    private readonly local: Local,
    readonly log: string[],
  ) {}

  static async start(isolation: Isolation, limits: Partial<Limits> = {}): Promise<Subject> {
    const entry = "test/workerd/fixture/isolation.ts";
    const log: string[] = [];
    const onLog = (line: string) => log.push(line);
    return new Subject(await startLocal({ entry, isolation, bindings: { LIMITS: limits }, onLog }), log);
  }

  dispose(): Promise<void> {
    return this.local.dispose();
  }

  async send(path: string, headers: Record<string, string> = {}): Promise<string> {
    const response = await fetch(`${this.local.url}${path}`, { headers });
    return `${response.status} ${await response.text()}`;
  }

  async counters(): Promise<Counters & { timers: number; reports: ErrorReport[] }> {
    return (await fetch(`${this.local.url}/counters`)).json() as never;
  }

  /** Exchanges that the upstream has not ended. */
  async upstreamActive(): Promise<number> {
    const upstream = await this.local.mf.getWorker("wasm-proactor-upstream");
    const response = await upstream.fetch("http://upstream.internal/stats");
    return ((await response.json()) as { active: number }).active;
  }

  /** Waits until nothing is left. The killed ones are found by later ones, so it keeps sending some. */
  async settled(): Promise<Awaited<ReturnType<Subject["counters"]>>> {
    for (let attempt = 0; attempt < 40; attempt++) {
      expect(await this.send("/state/settle")).toMatch(/^200 \d+ \d+$/);
      const counters = await this.counters();
      // A killed request takes its timer along without a word; no other may leave one.
      if (counters.contexts === 0 && counters.timers <= counters.killed) return counters;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return this.counters();
  }

  /** Expects that nothing is left, soon. Returns the counters. */
  async expectNothingLeft(): Promise<Awaited<ReturnType<Subject["counters"]>>> {
    const counters = await this.settled();
    expect(counters.contexts).toBe(0);
    // The accept of each instance.
    expect(counters.inFlight).toBe(counters.instances);
    expect(counters.timers).toBeLessThanOrEqual(counters.killed);
    await expect.poll(() => this.upstreamActive()).toBe(0);
    // The platform found nobody who waited for what will never come.
    expect(this.log.filter((line) => line.includes("hung"))).toEqual([]);
    // The guest's own view, of as many instances as there are.
    const states = await Promise.all(Array.from({ length: 20 }, () => this.send("/state/left")));
    expect(new Set(states)).toEqual(new Set(["200 1 0"]));
    return counters;
  }
}

// What may come back. Each is a whole answer, or how it begins.

const page = (id: string) => `<!doctype html><meta charset="utf-8"><title>${id}</title><h1>${id}</h1>\n`;
const visited = (id: string) => `200 ${id}|value of ${id}|${page(id)}`;
const TRAPPED = '500 {"error":"trap",';
const UNANSWERED = '500 {"error":"unanswered",';
const CONDEMNED = '500 {"error":"condemned",';
const KILLED = "500 Error: killed by the test";
const DOOMED = "500 Error: on the guest's stack";
const LEFT = "499 ";

interface Visit {
  id: string;
  how: string;
  headers: Record<string, string>;
  expected: string[];
}

type Recipe = [how: string, weight: number, expected: (id: string) => string[], disturbance?: "x-kill" | "x-leave"];

const PEACEFUL: Recipe[] = [
  ["ok", 60, (id) => [visited(id)]],
  ["chain", 6, () => ["200 end of chain"]],
  ["forward", 16, (id) => [`200 ${page(id)}`]],
  ["later", 12, (id) => [`200 later ${id}`]],
  ["slow", 16, () => ["504 the deadline passed"]],
  ["silent", 10, () => [UNANSWERED]],
  ["silent-at-once", 5, () => [UNANSWERED]],
];

const ABORTS: Recipe[] = [
  ["trap", 20, () => [TRAPPED]],
  ["trap-at-once", 10, () => [TRAPPED]],
];

const HARD_TRAPS: Recipe[] = [
  ["unreachable", 5, () => [TRAPPED]],
  ["out-of-bounds", 5, () => [TRAPPED]],
  ["overflow", 5, () => [TRAPPED]],
];

const KILLS: Recipe[] = [
  ["wait", 15, () => [KILLED], "x-kill"],
  ["spin", 4, () => [KILLED], "x-kill"],
  ["wait-after", 6, (id) => [`200 answered ${id}`], "x-kill"],
  ["ok", 15, (id) => [visited(id), KILLED], "x-kill"],
  ["wait", 8, () => [LEFT], "x-leave"],
  ["ok", 8, (id) => [visited(id), LEFT], "x-leave"],
];

const DOOM: Recipe[] = [["doom", 4, () => [DOOMED]]];

/** Draws requests from the recipes, by their weights. */
function drawn(recipes: Recipe[], seed: number): Visit[] {
  const random = new Random(seed);
  const deck = recipes.flatMap((recipe) => Array.from({ length: recipe[1] }, () => recipe));
  return Array.from({ length: REQUESTS }, (_, index) => {
    const [how, , expected, disturbance] = deck[random.between(0, deck.length - 1)]!;
    const id = `${index}-${how}-${"x".repeat(random.between(0, 9))}`;
    const headers = disturbance ? { [disturbance]: String(random.between(1, 60)) } : {};
    return { id, how, headers, expected: expected(id) };
  });
}

/** Sends them all at once and expects of each what may come back. Returns how many came back as each kind. */
async function expectAnswers(subject: Subject, visits: Visit[]): Promise<string[]> {
  const answers = await Promise.all(visits.map(({ how, id, headers }) => subject.send(`/${how}/${id}`, headers)));
  const wrong = visits.flatMap(({ how, id, headers, expected }, index) => {
    const answer = answers[index]!;
    return expected.some((start) => answer.startsWith(start)) ? [] : [{ how, id, headers, expected, answer }];
  });
  expect(wrong).toEqual([]);
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
    const answers = await expectAnswers(subject, drawn(recipes, SEED));
    const { timers, killed, traps, reports } = await subject.expectNothingLeft();
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
    const recipes = [...PEACEFUL, ...ABORTS, ...KILLS, ...(isolation === "shared" ? [] : [...HARD_TRAPS, ...DOOM])];
    const visits = drawn(recipes, SEED + 1);
    const answers = await expectAnswers(subject, visits);
    const after = await subject.expectNothingLeft();
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
    expect((await subject.expectNothingLeft()).killed).toBe(killed);
  });

  testReuse("memory that has grown too much is replaced, and who uses it stays to the end", async () => {
    const paths = Array.from({ length: 45 }, (_, index) => ["/large/1", "/ok/1", "/trap/1"][index % 3]!);
    const answers = await Promise.all([...paths, ...paths].map((path) => subject.send(path)));
    expect(count(answers, (answer) => answer === "200 3000000")).toBe(30);
    expect(count(answers, (answer) => answer === visited("1"))).toBe(30);
    expect(count(answers, (answer) => answer.startsWith(TRAPPED))).toBe(30);
    await subject.expectNothingLeft();
  });

  test("an instance whose request was killed on its stack serves no other", async () => {
    for (const path of ["/doom-idle/1", "/doom/1"]) {
      expect(await subject.send(path)).toMatch(DOOMED);
      await subject.expectNothingLeft();
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
    expect((await subject.expectNothingLeft()).instantiated).toBe(instantiated + 1);
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
    expect((await subject.expectNothingLeft()).instantiated).toBe(instantiated + 1);
  });

  test.for(["/doom/1", "/doom-idle/1"])(
    "%s, killed on the guest's stack, fails all requests in flight",
    async (path) => {
      const { instantiated } = await subject.counters();
      const waiting = await begin("/hold/1", "/hold/2");
      await expectAll([subject.send(path)], DOOMED);
      await expectAll([subject.send("/ok/next")], visited("next"));
      await expectAll(waiting, CONDEMNED);
      expect((await subject.expectNothingLeft()).instantiated).toBe(instantiated + 1);
    },
  );

  test("what killed requests had in flight no longer counts towards the limits", async () => {
    const { killed, refused } = await subject.counters();
    for (let batch = 1; batch <= 2; batch++) {
      // Five operations each, of one hundred that the limit allows.
      const answers = Array.from({ length: 15 }, (_, index) => subject.send(`/wait/${index}`, { "x-kill": "30" }));
      await expectAll(answers, KILLED);
      expect((await subject.expectNothingLeft()).killed).toBe(killed + batch * 15);
    }
    expect((await subject.counters()).refused).toBe(refused);
  });
});
