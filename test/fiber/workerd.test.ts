// Fibers in the Workers runtime itself: the plain build on its stacks, and the one that needs none.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import type { Local } from "../../scripts/miniflare.ts";
import { path } from "../../scripts/paths.ts";
import type { Counters } from "../../src/index.ts";
import { eventually } from "../support/hosts.ts";

const bytesOf = (name: string): Promise<Uint8Array> => readFile(path(`build/test/${name}.wasm`));

describe.each(["pooled", "shared"] as const)("%s", (isolation) => {
  let local: Local;

  beforeAll(async () => {
    local = await startLocal({
      entry: "test/workerd/fixture/fibers.ts",
      isolation,
      modules: { "plain.wasm": await bytesOf("fiber"), "asyncified.wasm": await bytesOf("fiber.asyncify") },
    });
  });
  afterAll(() => local.dispose());

  describe.each([
    ["JSPI", ""],
    ["Asyncify", "&asyncified"],
  ])("%s", (_, which) => {
    const get = (target: string): Promise<Response> => fetch(`${local.url}${target}${which}`);

    /** Every request has ended, and each instance has nothing but its accept in flight. */
    const nothingIsLeft = (): Promise<void> =>
      eventually(async () => {
        const counters = (await (await get("/.host/counters?")).json()) as Counters;
        expect(counters.contexts).toBe(0);
        expect(counters.inFlight).toBe(counters.instances);
      });

    test("workerd: stacks are whole, whoever runs and collects meanwhile", async () => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, seed) => get(`/walk?order=shuffled&seed=${seed}${seed % 2 ? "&collect" : ""}`)),
      );
      for (const answer of answers) expect(await answer.json()).toEqual({ broken: 0, waits: 94, sum: 47 });
      await nothingIsLeft();
    });

    test("workerd: each fiber gets the values of its own request", async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, id) => get(`/values?id=${id}&busy`)));
      for (const [id, answer] of answers.entries()) expect(await answer.text()).toBe(`value of ${id}|`.repeat(5));
      await nothingIsLeft();
    });

    test("workerd: fibers await fibers, and what a fiber does after the answer is finished", async () => {
      expect(await (await get("/nested?generations=3")).text()).toBe("39");
      expect(await (await get("/late?")).text()).toBe("answered");
      await nothingIsLeft();
    });

    test("workerd: an abort costs its own request", async () => {
      const paths = ["/walk?seed=1", "/trap?how=abort&after=5", "/trap?how=none&after=5", "/walk?seed=2"];
      const answers = await Promise.all(paths.map(get));
      expect(answers.map(({ status }) => status)).toEqual([200, 500, 200, 200]);
      await nothingIsLeft();
    });

    test("workerd: a thousand fibers of one request wait at once", async () => {
      expect(await (await get("/park?count=1000")).text()).toBe("0 broken");
      await nothingIsLeft();
    });
  });
});
