// Stacks: what a waiting fiber's stack alone refers to is there when it goes on, whoever ran and collected meanwhile.

import { describe, expect, test } from "vitest";
import { expectNothingLeft, simulatedHost } from "../support/hosts.ts";
import { VARIANTS } from "./variants.ts";

const ORDERS = ["first", "last", "shuffled"];
/** Fiber `id` waits twice at each depth, from 4 + id % 3 down to 0. */
const COUNT = 12;
const DEPTHS = Array.from({ length: COUNT }, (_, id) => 5 + (id % 3)).reduce((sum, depth) => sum + depth, 0);
const WHOLE = { broken: 0, waits: 2 * DEPTHS, sum: DEPTHS };

describe.each(VARIANTS)("$title", ({ suffix, options }) => {
  describe.each(["pooled", "shared"] as const)("%s", (isolation) => {
    const start = () => simulatedHost(`fiber${suffix}`, { isolation, ...options });

    test.for(ORDERS)("stacks: whole after waits that end in this order: %s", async (order) => {
      const host = await start();
      for (let seed = 1; seed <= 5; seed++)
        expect(await host.json(`/walk?count=${COUNT}&order=${order}&seed=${seed}`)).toEqual(WHOLE);
      await expectNothingLeft(host);
    });

    test.for(ORDERS)(
      "stacks: whole after a collection between any two waits that end in this order: %s",
      async (order) => {
        const host = await start();
        for (let seed = 1; seed <= 2; seed++)
          expect(await host.json(`/walk?count=${COUNT}&order=${order}&seed=${seed}&collect`)).toEqual(WHOLE);
        await expectNothingLeft(host);
      },
    );

    test("stacks: whole while other requests have fibers of their own", async () => {
      const host = await start();
      const paths = Array.from({ length: 10 }, (_, seed) => `/walk?count=${COUNT}&order=shuffled&seed=${seed}`);
      const answers = await host.fetchAll(paths);
      for (const answer of answers) expect(await answer.json()).toEqual(WHOLE);
      await expectNothingLeft(host);
    });
  });

  test("stacks: ten thousand fibers wait at once", async () => {
    const host = await simulatedHost(`fiber${suffix}`, options);
    const answer = host.send("/park?count=10000");
    await host.simulation.advance(500);
    expect((await host.counters()).inFlight).toBe(10_001);
    expect(await (await host.simulation.run(answer)).text()).toBe("0 broken");
    await expectNothingLeft(host);
  });

  // The stub runtime frees nothing.
  test.skipIf(suffix.includes("stub"))("stacks: memory stays as it is through a hundred thousand waits", async () => {
    const host = await simulatedHost(`fiber${suffix}`, { ...options, limits: { runs: 1_000_000_000 } });
    const state = async (): Promise<string> => (await host.fetch("/state")).text();
    await host.fetch("/spin?count=1000");
    const before = await state();
    await host.fetch("/spin?count=100000");
    expect(await state()).toBe(before);
    await expectNothingLeft(host);
  });
});
