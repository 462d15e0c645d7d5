// simulate: what it decides by its seed, what it looks at, and what it says when a promise is broken.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { path } from "../../scripts/paths.ts";
import { FAULTS, SimulationError, simulate } from "../../src/testing/index.ts";
import type { SimulateOptions, Simulation, SimulationRun, Struck } from "../../src/testing/index.ts";

/** The interpreter of simulate/guest: its request's path is its program. */
const module = new WebAssembly.Module(readFileSync(path("build/simulate/program.wasm")));

const FETCH = "f,-1,0,10,0";
const TIMER = "t,-1,0,20,0";
const GET = "g,-1,0,1,0";
const PUT = "p,-1,0,1,9";
const CHANCE = "y,-1,0,0,0";
const ANSWER_AFTER_FIRST = "q,0,0,0,0";

function run(steps: string, options: SimulateOptions = {}): Promise<SimulationRun> {
  return simulate(module, {
    resources: (world) => ({
      CACHE: world.kv(),
      API: world.origin("http://api.test", () => new Response(new Uint8Array(10))),
    }),
    request: (index) => new Request(`http://guest.test/${index}/${steps}`),
    requests: 5,
    ...options,
  });
}

/** What a run was rejected with. */
async function failureOf(promise: Promise<unknown>): Promise<SimulationError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(SimulationError);
  return error as SimulationError;
}

const texts = ({ answers }: SimulationRun): string[] => answers.map(({ text, at }) => `${at} ${text}`);

test("simulate: the same seed gives the same run to the byte, and another seed another", async () => {
  const steps = `${FETCH};${CHANCE};${GET};${TIMER};${ANSWER_AFTER_FIRST}`;
  const [first, again, other] = [await run(steps), await run(steps), await run(steps, { seed: 2 })];
  expect(again.hash).toBe(first.hash);
  expect(texts(again)).toEqual(texts(first));
  expect(other.hash).not.toBe(first.hash);
});

test("simulate: the seed decides the guest's random numbers, and each draws its own", async () => {
  const steps = `${CHANCE};${ANSWER_AFTER_FIRST}`;
  const numbersOf = async (seed: number): Promise<string[]> =>
    (await run(steps, { seed, faults: {}, isolation: "request" })).answers.map(({ text }) => text.split(":")[1]!);
  const numbers = await numbersOf(1);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.every((number) => Number(number) >= 0 && Number(number) < 1)).toBe(true);
  expect(await numbersOf(1)).toEqual(numbers);
  expect(await numbersOf(2)).not.toEqual(numbers);
});

test("simulate: who watches changes nothing", async () => {
  const lines: string[] = [];
  const watched = await run(`${FETCH};${ANSWER_AFTER_FIRST}`, { onTrace: (line) => lines.push(line) });
  expect(watched.hash).toBe((await run(`${FETCH};${ANSWER_AFTER_FIRST}`)).hash);
  expect(lines.some((line) => line.includes("submit fetch"))).toBe(true);
});

test("simulate: one answer that is another is another run", async () => {
  const answering = (byte: number): Promise<SimulationRun> =>
    run(`${FETCH};${ANSWER_AFTER_FIRST}`, {
      faults: {},
      resources: (world) => ({
        API: world.origin("http://api.test", () => new Response(new Uint8Array([byte]))),
        CACHE: world.kv(),
      }),
    });
  expect((await answering(1)).hash).not.toBe((await answering(2)).hash);
});

test("simulate: what a hook throws fails the run, which names its seed", async () => {
  const thrown = new Error("not what I expected");
  const error = await failureOf(
    run(ANSWER_AFTER_FIRST.replace("0", "-1"), {
      seed: 42,
      onAnswer: () => {
        throw thrown;
      },
    }),
  );
  expect(error.message).toBe("seed 42: not what I expected");
  expect(error.cause).toBe(thrown);
  const atEnd = run(TIMER, { seed: 43, onEnd: () => Promise.reject(thrown) });
  expect((await failureOf(atEnd)).message).toContain("seed 43: not what I expected");
  const request = (): never => {
    throw thrown;
  };
  expect((await failureOf(run(TIMER, { seed: 44, request }))).message).toContain("seed 44: not what I expected");
});

test("simulate: without faults nothing strikes, and everybody is answered", async () => {
  let struck: Struck[] = [];
  const { answers, counters } = await run(`${FETCH};${PUT};${GET};${ANSWER_AFTER_FIRST}`, {
    faults: {},
    onEnd: (world) => void (struck = world.struck),
  });
  expect(struck).toEqual([]);
  // The last is the one that comes when the faults have stopped.
  expect(answers.map(({ index, response }) => [index, response.status])).toEqual(
    [0, 1, 2, 3, 4, 5].map((index) => [index, 200]),
  );
  expect(counters).toMatchObject({ contexts: 0, traps: 0, killed: 0 });
});

test("simulate: a fault that is misspelt is refused", async () => {
  const faults = { netwrok: 1 } as object;
  await expect(run(TIMER, { faults })).rejects.toThrow(/"netwrok" is none of kvRateLimited, .*network/);
});

test("simulate: every fault of the world strikes sooner or later", async () => {
  const struck = new Set<string>();
  const border = new Set(["growth", "collection", "forged", "nestedRun"]);
  for (let seed = 1; seed <= 150 && struck.size < FAULTS.length - border.size; seed++) {
    const onEnd = (world: Simulation): void => world.struck.forEach(({ fault }) => struck.add(fault));
    await run(`${PUT};g,0,0,1,0;${FETCH};q,2,0,0,0`, { seed, onEnd });
  }
  expect([...struck].toSorted()).toEqual(FAULTS.filter((name) => !border.has(name)).toSorted());
});

test("simulate: a request that is killed hears nothing, and its slots come back", async () => {
  // They come at once, and none of them could be answered before it is killed.
  const options: SimulateOptions = { faults: { killed: 1 }, isolation: "shared", requests: 10, pause: [0, 0] };
  const { answers, counters } = await run("t,-1,0,200,0;q,0,0,0,0", options);
  expect(counters).toMatchObject({ killed: 10, reclaimed: 10, contexts: 0, instances: 1 });
  expect(answers.every(({ index }) => index >= 10)).toBe(true);
});

test("simulate: a request has no more connections than the platform allows", async () => {
  const fetches = Array.from({ length: 12 }, () => FETCH).join(";");
  let most = 0;
  const options: SimulateOptions = { faults: {}, requests: 1, onEnd: (world) => void (most = world.fetchingMost) };
  await run(`${fetches};q,11,0,0,0`, { ...options, platform: { connections: 2 } });
  expect(most).toBe(2);
  // Here the host's own queue decides.
  await run(`${fetches};q,11,0,0,0`, { ...options, platform: { connections: 12 } });
  expect(most).toBe(6);
});

test("simulate: a request makes no more calls than the platform allows", async () => {
  const { answers } = await run(`${FETCH};f,0,0,1,0;f,1,0,1,0;q,2,0,0,0`, {
    faults: {},
    requests: 1,
    platform: { subrequests: 2 },
  });
  expect(answers[0]!.text).toMatch(/^0\|0:0:200:[\d.]+\|1:0:200:[\d.]+\|2:-32\|$/);
});

test("simulate: work that goes on too long after the answer is ended by the platform", async () => {
  const { counters, ms } = await run("q,-1,0,0,0;t,-1,0,60000,0", { faults: {}, requests: 2 });
  expect(counters.killed).toBeGreaterThan(0);
  expect(ms).toBeGreaterThan(30_000);
});

test("simulate: a guest that goes on for ever fails the run, which ends all the same", async () => {
  // A chain of 2^32 operations, each submitted by the one before.
  const error = await failureOf(run("h,-1,0,0,0", { faults: {}, requests: 1 }));
  expect(error.message).toContain("after the faults have stopped it goes on and on");
});

test("simulate: a module that traps while it starts is refused, as anywhere", async () => {
  const bytes = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  await expect(simulate(new WebAssembly.Module(bytes))).rejects.toThrow("this module is no guest of proactor_v1");
});

test.for([
  [{ request: 3 }, "request: this is no function"],
  [{ resources: {} }, "resources: this is no function"],
  [{ onAnswer: true }, "onAnswer: this is no function"],
  [{ requests: -1 }, "requests: -1 is no number from 0"],
  [{ requests: 1.5 }, "requests: 1.5 is no whole number"],
  [{ seed: "1" }, "seed: 1 is no whole number"],
  [{ pause: 40 }, "pause: give the least and the most milliseconds, such as [1, 50]"],
  [{ delay: [2, 1] }, "delay: 2 and 1 are not the least and the most milliseconds"],
  [{ faults: { network: 5 } }, "faults.network: 5 is no probability from 0 to 1"],
  [{ faults: 0 }, "faults: 0 is no object"],
  [{ shutdown: "later" }, 'shutdown: "later" is none of graceful, now'],
  [{ platform: { connections: -1 } }, "platform.connections: -1 is no number from 0"],
] as const)("simulate: %j is refused with what to give", async ([options, message]) => {
  await expect(run(GET, options as object)).rejects.toThrow(message);
});

const nothing = (): never => undefined as never;

test("simulate: an upstream that gives no response fails the run, and so does a request that is none", async () => {
  const resources: SimulateOptions["resources"] = (world) => ({
    CACHE: world.kv(),
    API: world.origin("http://api.test", nothing),
  });
  await expect(run(`${FETCH};${ANSWER_AFTER_FIRST}`, { faults: {}, resources })).rejects.toThrow(
    /^world\.origin: upstream gave no Response to GET http:\/\/api\.test/,
  );
  expect((await failureOf(run(GET, { request: nothing }))).message).toContain("request: it gave no Request");
});

test("simulate: a misspelt option is an error that lists those that there are", async () => {
  await expect(run(GET, { request5: 2 } as object)).rejects.toThrow(
    'options of simulate: "request5" is none of seed, ',
  );
});
