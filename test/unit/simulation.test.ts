import { expect, test } from "vitest";
import { Simulation, memoryKv } from "../../src/testing/index.ts";

const ORIGIN = "http://origin.test";

test("simulation: a fetch whose signal is aborted before it begins never reaches the upstream", async () => {
  const simulation = new Simulation();
  let asked = 0;
  const grant = simulation.origin(ORIGIN, () => {
    asked++;
    return new Response("answer");
  });
  const fetching = grant.fetch(ORIGIN, { signal: AbortSignal.abort() });
  await expect(simulation.run(fetching)).rejects.toThrow("aborted");
  await simulation.settle();
  expect([asked, simulation.fetching, simulation.clock.size]).toEqual([0, 0, 0]);
});

test("simulation: a response that comes after the abort is let go of", async () => {
  const simulation = new Simulation({ delay: [1, 1] });
  const { promise, resolve } = Promise.withResolvers<Response>();
  const grant = simulation.origin(ORIGIN, () => promise);
  const controller = new AbortController();
  const fetching = grant.fetch(ORIGIN, { signal: controller.signal });
  await simulation.advance(1);
  controller.abort();
  await expect(fetching).rejects.toThrow("aborted");
  let cancelled = false;
  resolve(new Response(new ReadableStream({ cancel: () => void (cancelled = true) })));
  await simulation.settle();
  expect([cancelled, simulation.aborted, simulation.openBodies, simulation.fetching]).toEqual([true, 1, 0, 0]);
});

/** What becomes of twenty calls at once, and when. */
async function callsOf(seed: number): Promise<string[]> {
  const simulation = new Simulation({ seed, faults: { kvRateLimited: 0.5 } });
  const { store } = simulation.kv();
  const log: string[] = [];
  const calls = Array.from({ length: 20 }, (_, index) =>
    store.put(`${index}`, new ArrayBuffer(0), {}).then(
      () => log.push(`${index} at ${simulation.clock.now()}`),
      () => log.push(`${index} limited at ${simulation.clock.now()}`),
    ),
  );
  await simulation.run(Promise.all(calls));
  return log;
}

test("simulation: the same seed gives the same delays and faults, another seed others", async () => {
  expect(await callsOf(1)).toEqual(await callsOf(1));
  expect(await callsOf(1)).not.toEqual(await callsOf(2));
});

test("simulation: a promise that never settles is an error that names the seed", async () => {
  await expect(new Simulation({ seed: 42 }).run(new Promise(() => {}))).rejects.toThrow(
    "never settles (seed 42); a Proactor must have the option clock: world.clock",
  );
});

test("simulation: several may wait for the world at the same time, whoever's event is the last", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    for (let waiting = 2; waiting <= 10; waiting++) {
      const simulation = new Simulation({ seed });
      const one = simulation.kv().store.get("key", { type: "arrayBuffer" });
      const settled = Array.from({ length: waiting }, () => simulation.run(one));
      expect(await Promise.all(settled)).toEqual(Array.from({ length: waiting }, () => null));
    }
  }
});

test("simulation: a misspelt option is an error that lists those that there are", () => {
  const options = { sed: 2 } as object;
  expect(() => new Simulation(options)).toThrow(
    'options of Simulation: "sed" is none of seed, delay, bodyDelay, faults, platform',
  );
});

const PAIR = "give the least and the most milliseconds, such as [1, 50]";
const NO_PAIR = "are not the least and the most milliseconds; give such as [1, 50]";

test.for([
  [42, "options of Simulation: 42 is no object; give some of seed, delay"],
  [{ seed: "first" }, "seed: first is no whole number"],
  [{ seed: NaN }, "seed: NaN is no whole number"],
  [{ delay: 100 }, `delay: ${PAIR}`],
  [{ delay: [100] }, `delay: ${PAIR}`],
  [{ delay: null }, `delay: ${PAIR}`],
  [{ delay: [100, 1] }, `delay: 100 and 1 ${NO_PAIR}`],
  [{ delay: [-1, 1] }, `delay: -1 and 1 ${NO_PAIR}`],
  [{ delay: [NaN, NaN] }, `delay: NaN and NaN ${NO_PAIR}`],
  [{ delay: ["1", "50"] }, `delay: 1 and 50 ${NO_PAIR}`],
  [{ delay: [1, Infinity] }, `delay: 1 and Infinity ${NO_PAIR}`],
  [{ bodyDelay: 5 }, `bodyDelay: ${PAIR}`],
  [{ bodyDelay: [2, 1] }, `bodyDelay: 2 and 1 ${NO_PAIR}`],
  [{ faults: 0.3 }, "faults: 0.3 is no object; give some of kvRateLimited, "],
  [{ faults: { netwrok: 1 } }, 'faults: "netwrok" is none of kvRateLimited, '],
  [{ faults: { network: 5 } }, "faults.network: 5 is no probability from 0 to 1"],
  [{ faults: { network: -0.1 } }, "faults.network: -0.1 is no probability from 0 to 1"],
  [{ faults: { network: true } }, "faults.network: true is no probability from 0 to 1"],
  [{ platform: { conections: 2 } }, 'platform: "conections" is none of connections, subrequests, waitUntilMs'],
  [{ platform: { connections: "2" } }, "platform.connections: 2 is no number from 0"],
] as const)("simulation: %j is refused with what to give", ([options, message]) => {
  expect(() => new Simulation(options as object)).toThrow(message);
});

test("simulation: an option that is undefined is left out", () => {
  const open = { seed: undefined, delay: undefined, bodyDelay: undefined, faults: undefined, platform: undefined };
  expect(new Simulation(open as object)).toMatchObject({ seed: 1, faults: { network: 0 } });
});

test("simulation: a grant of what is wrong is refused", () => {
  const world = new Simulation();
  const kv = world.kv.bind(world) as (options: unknown) => unknown;
  expect(() => kv({ stor: memoryKv() })).toThrow('options of world.kv: "stor" is none of rights, store');
  expect(() => kv(memoryKv())).toThrow('options of world.kv: "get" is none of rights, store');
  expect(() => kv({ store: new Map() })).toThrow("kv: the store is no KV namespace");
  const origin = world.origin.bind(world) as (origins: string, upstream?: unknown) => unknown;
  for (const upstream of [undefined, "answer", new Response("answer")])
    expect(() => origin(ORIGIN, upstream)).toThrow("world.origin: upstream is a function from Request to Response");
});

test("simulation: an upstream that gives no response fails the test, whatever the guest makes of it", async () => {
  const upstreams = [() => undefined, () => "answer", async () => ({ body: null, status: 200 })] as unknown[];
  for (const upstream of upstreams as (() => Response)[]) {
    const world = new Simulation();
    const grant = world.origin(ORIGIN, upstream);
    const badGateway = grant.fetch(`${ORIGIN}/page`, {}).catch(() => new Response(null, { status: 502 }));
    const mistake = "world.origin: upstream gave no Response to GET http://origin.test/page";
    await expect(world.run(badGateway)).rejects.toThrow(mistake);
    await expect(world.advance(1)).rejects.toThrow(mistake);
    await expect(world.settle()).rejects.toThrow(mistake);
  }
});

test("simulation: time goes forward by milliseconds", async () => {
  const world = new Simulation();
  for (const ms of [-1, NaN, "5"]) await expect(world.advance(ms as number)).rejects.toThrow("is no number from 0");
  expect(world.clock.now()).toBe(0);
});
