import { expect, test } from "vitest";
import { Example } from "./example.ts";
import type { Answer } from "./example.ts";

/** Sends one request; the upstream gives these statuses, one after the other. No call takes time of its own. */
async function send(...statuses: number[]): Promise<{ answer: Answer; times: number[] }> {
  const times: number[] = [];
  const example = await Example.start("retry", {
    delay: [0, 0],
    upstream: () => {
      times.push(example.world.clock.now());
      const status = statuses[times.length - 1]!;
      return new Response(`attempt ${times.length}`, { status });
    },
  });
  return { answer: await example.fetch("/page"), times };
}

test("retry: 503, 503, 200 are three attempts, 100 ms and 200 ms apart", async () => {
  const { answer, times } = await send(503, 503, 200);
  expect(answer).toEqual({ status: 200, text: "attempt 3" });
  expect(times).toEqual([0, 100, 300]);
});

test("retry: the last attempt is the answer, good or not", async () => {
  const { answer, times } = await send(500, 502, 503, 200);
  expect(answer).toEqual({ status: 503, text: "attempt 3" });
  expect(times).toHaveLength(3);
});

// A retry that asks "was it 200?" and not "may it pass?" sends a bad request three times.
test.for([200, 201, 400, 401, 404, 409, 429, 499])("retry: a %i is attempted once", async (status) => {
  const { answer, times } = await send(status, 200, 200);
  expect(answer).toEqual({ status, text: "attempt 1" });
  expect(times).toEqual([0]);
});

test("retry: an attempt without an answer ends after 5 s, and the next one may succeed", async () => {
  let attempts = 0;
  const example = await Example.start("retry", {
    delay: [0, 0],
    upstream: () => (++attempts < 3 ? new Promise(() => {}) : new Response("at last")),
  });
  expect(await example.fetch("/page")).toEqual({ status: 200, text: "at last" });
  expect(example.world.clock.now()).toBe(5000 + 100 + 5000 + 200);
  expect(example.world.aborted).toBe(2);
  expect(example.takeReports()).toEqual(["dropped retry", "dropped retry"]);
});

test("retry: nobody there is answered with 502, and that with 504 if the deadline has passed", async () => {
  const broken = await Example.start("retry", { faults: { network: 1 } });
  expect(await broken.fetch("/page")).toMatchObject({ status: 502 });
  expect(broken.world.struck).toHaveLength(3);
  expect(broken.takeReports()).toEqual(["dropped retry", "dropped retry"]);
  const silent = await Example.start("retry", { upstream: () => new Promise(() => {}) });
  expect(await silent.fetch("/page")).toMatchObject({ status: 504 });
  expect(silent.takeReports()).toEqual(["dropped retry", "dropped retry"]);
});
