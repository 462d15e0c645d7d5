import { expect, test } from "vitest";
import { Simulation } from "../../src/testing/index.ts";

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
  await expect(new Simulation({ seed: 42 }).run(new Promise(() => {}))).rejects.toThrow("never settles (seed 42)");
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
