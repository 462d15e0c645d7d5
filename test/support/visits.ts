// Visits: requests drawn by a seed, of which many trap, fall silent, are killed by `ctx.abort()` or left by their caller,
// and the test Worker that they go to. Each has an answer, and nothing of any may be left.

import { startLocal } from "../../scripts/miniflare.ts";
import type { Local } from "../../scripts/miniflare.ts";
import type { Counters, ErrorReport, Isolation, Limits } from "../../src/index.ts";
import { Random } from "../../src/testing/random.ts";

export type SubjectCounters = Counters & { timers: number; reports: ErrorReport[] };

/** The test Worker of test/workerd/fixture/isolation.ts, from outside. */
export class Subject {
  readonly #local: Local;
  readonly #log: string[];

  private constructor(local: Local, log: string[]) {
    this.#local = local;
    this.#log = log;
  }

  static async start(isolation: Isolation, limits: Partial<Limits> = {}): Promise<Subject> {
    const entry = "test/workerd/fixture/isolation.ts";
    const log: string[] = [];
    const onLog = (line: string) => log.push(line);
    return new Subject(await startLocal({ entry, isolation, bindings: { LIMITS: limits }, onLog }), log);
  }

  dispose(): Promise<void> {
    return this.#local.dispose();
  }

  async send(path: string, headers: Record<string, string> = {}): Promise<string> {
    const response = await this.#fetch(path, headers);
    return `${response.status} ${await response.text()}`;
  }

  /** Once more where the server has closed a connection that was idle, just as it was to be used again. */
  async #fetch(path: string, headers: Record<string, string>): Promise<Response> {
    const url = `${this.#local.url}${path}`;
    try {
      return await fetch(url, { headers });
    } catch (error) {
      const { code } = (error as { cause?: { code?: string } }).cause ?? {};
      if (code !== "UND_ERR_SOCKET" && code !== "ECONNRESET") throw new Error(`${path}: ${code}`, { cause: error });
      return fetch(url, { headers });
    }
  }

  async counters(): Promise<SubjectCounters> {
    return (await this.#fetch("/counters", {})).json() as never;
  }

  /** What guests say of themselves, as many as there are instances: operations in flight, stale completions, pages. */
  async states(): Promise<[inFlight: number, stale: number, pages: number][]> {
    const answers = await Promise.all(Array.from({ length: 20 }, () => this.send("/state/left")));
    return answers.map((answer) => answer.split(" ").slice(1).map(Number) as [number, number, number]);
  }

  /** Exchanges that the upstream has not ended. */
  async upstreamActive(): Promise<number> {
    const upstream = await this.#local.mf.getWorker("wasm-proactor-upstream");
    const response = await upstream.fetch("http://upstream.internal/stats");
    return ((await response.json()) as { active: number }).active;
  }

  /** Waits until nothing is left. Returns the counters, and what is left all the same. */
  async settled(): Promise<{ counters: SubjectCounters; left: string[] }> {
    for (let attempt = 1; ; attempt++) {
      // The killed ones are found by later ones, so it keeps sending some.
      const state = await this.send("/state/settle");
      const counters = await this.counters();
      const left = await this.#left(counters);
      if (!state.startsWith("200 ")) left.push(`an answer: ${state}`);
      if (left.length === 0 || attempt === 40) return { counters, left };
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #left({ contexts, inFlight, instances, timers, killed }: SubjectCounters): Promise<string[]> {
    const left: [what: string, found: unknown, expected: unknown][] = [
      ["contexts", contexts, 0],
      // The accept of each instance.
      ["operations in flight", inFlight, instances],
      // A killed request takes its timer along without a word, and that of a roll call if it kept one; no other may.
      ["timers", Math.max(timers, 2 * killed), 2 * killed],
      ["exchanges of the upstream", await this.upstreamActive(), 0],
      // The platform found nobody who waited for what will never come.
      ["hung requests", this.#log.filter((line) => line.includes("hung")).length, 0],
      [
        "the guests' own view",
        [...new Set((await this.states()).map(([own, stale]) => `${own} ${stale}`))].join(),
        "1 0",
      ],
    ];
    return left
      .filter(([, found, expected]) => found !== expected)
      .map(([what, found, expected]) => `${what}: ${found} instead of ${expected}`);
  }
}

// What may come back. Each is a whole answer, or how it begins.

export const page = (id: string) => `<!doctype html><meta charset="utf-8"><title>${id}</title><h1>${id}</h1>\n`;
export const visited = (id: string) => `200 ${id}|value of ${id}|${page(id)}`;
export const TRAPPED = '500 {"error":"trap",';
export const UNANSWERED = '500 {"error":"unanswered",';
export const CONDEMNED = '500 {"error":"condemned",';
export const KILLED = "500 Error: killed by the test";
export const DOOMED = "500 Error: on the guest's stack";
export const LEFT = "499 ";

export interface Visit {
  id: string;
  how: string;
  headers: Record<string, string>;
  expected: string[];
}

export type Recipe = [
  how: string,
  weight: number,
  expected: (id: string) => string[],
  disturbance?: "x-kill" | "x-leave",
];

export const PEACEFUL: Recipe[] = [
  ["ok", 60, (id) => [visited(id)]],
  ["chain", 6, () => ["200 end of chain"]],
  ["forward", 16, (id) => [`200 ${page(id)}`]],
  ["later", 12, (id) => [`200 later ${id}`]],
  ["slow", 16, () => ["504 the deadline passed"]],
  ["silent", 10, () => [UNANSWERED]],
  ["silent-at-once", 5, () => [UNANSWERED]],
];

export const ABORTS: Recipe[] = [
  ["trap", 20, () => [TRAPPED]],
  ["trap-at-once", 10, () => [TRAPPED]],
];

export const HARD_TRAPS: Recipe[] = [
  ["unreachable", 5, () => [TRAPPED]],
  ["out-of-bounds", 5, () => [TRAPPED]],
  ["overflow", 5, () => [TRAPPED]],
];

export const KILLS: Recipe[] = [
  ["wait", 15, () => [KILLED], "x-kill"],
  ["spin", 4, () => [KILLED], "x-kill"],
  ["wait-after", 6, (id) => [`200 answered ${id}`], "x-kill"],
  ["ok", 15, (id) => [visited(id), KILLED], "x-kill"],
  ["wait", 8, () => [LEFT], "x-leave"],
  ["ok", 8, (id) => [visited(id), LEFT], "x-leave"],
];

export const DOOM: Recipe[] = [["doom", 4, () => [DOOMED]]];

/** All that a mode of isolation must bear. In a shared instance, traps that are no aborts end the others too. */
export function recipesFor(isolation: Isolation): Recipe[] {
  return [...PEACEFUL, ...ABORTS, ...KILLS, ...(isolation === "shared" ? [] : [...HARD_TRAPS, ...DOOM])];
}

/** Draws `count` requests from the recipes, by their weights. */
export function drawn(recipes: Recipe[], count: number, seed: number): Visit[] {
  const random = new Random(seed);
  const deck = recipes.flatMap((recipe) => Array.from({ length: recipe[1] }, () => recipe));
  return Array.from({ length: count }, (_, index) => {
    const [how, , expected, disturbance] = deck[random.between(0, deck.length - 1)]!;
    const id = `${index}-${how}-${"x".repeat(random.between(0, 9))}`;
    const headers = disturbance ? { [disturbance]: String(random.between(1, 60)) } : {};
    return { id, how, headers, expected: expected(id) };
  });
}

export const send = (subject: Subject, { how, id, headers }: Visit): Promise<string> =>
  subject.send(`/${how}/${id}`, headers);

/** Whether this may come back. */
export const isExpected = ({ expected }: Visit, answer: string): boolean =>
  expected.some((beginning) => answer.startsWith(beginning));
