// What requests share, on real workerd: each waits on its own stack for what another one does, and none is lost with it.

import { afterAll, beforeAll, expect, test } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import type { Local } from "../../scripts/miniflare.ts";
import { eventually } from "../support/hosts.ts";

let local: Local;

beforeAll(async () => {
  local = await startLocal({ entry: "test/workerd/fixture/share.ts" });
});
afterAll(() => local.dispose());

async function send(path: string, kill?: number): Promise<string> {
  const response = await fetch(`${local.url}${path}`, kill ? { headers: { "x-kill": `${kill}` } } : {});
  return `${response.status} ${await response.text()}`;
}

const repeat = <T>(times: number, fn: (index: number) => T): T[] => Array.from({ length: times }, (_, i) => fn(i));

/** The accept and the request that asks: nothing else in flight, nobody at the gate, nothing in the channel. */
async function expectNothingLeft(): Promise<void> {
  await eventually(async () => {
    expect(await send("/left")).toBe("200 1 0 0 0");
    const counters = (await (await fetch(`${local.url}/counters`)).json()) as Record<string, number>;
    expect([counters["contexts"], counters["instances"]]).toEqual([0, 1]);
  });
}

async function upstreamRequests(): Promise<number> {
  const upstream = await local.mf.getWorker("wasm-proactor-upstream");
  const response = await upstream.fetch("http://upstream.internal/stats");
  return ((await response.json()) as { requests: number }).requests;
}

test("share: thirty requests that want the same fetch it once, and each is answered", async () => {
  const before = await upstreamRequests();
  const answers = await Promise.all(repeat(30, () => send("/share?/any?delay=300")));
  expect(new Set(answers).size).toBe(1);
  expect(answers[0]).toMatch(/^200 /);
  expect((await upstreamRequests()) - before).toBe(1);
  await expectNothingLeft();
});

test("share: when the request that fetches is killed, another takes over", async () => {
  const first = send("/share?/any?delay=500", 100);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const others = await Promise.all(repeat(10, () => send("/share?/any?delay=500")));
  expect(await first).toMatch(/^500 /);
  expect(others.filter((answer) => !answer.startsWith("200 "))).toEqual([]);
  await expectNothingLeft();
});

test("limit: places are handed from request to request, and those of killed ones are not lost", async () => {
  const answers = await Promise.all(repeat(40, (i) => send("/limit?/any?delay=20", i % 5 === 4 ? 30 : undefined)));
  expect(answers.filter((answer, i) => i % 5 < 4 && !answer.startsWith("200 "))).toEqual([]);
  await expectNothingLeft();
});

test("channel: what some requests send others receive, once", async () => {
  const received = repeat(20, () => send("/receive"));
  const sent = repeat(20, (i) => send(`/send?${i}`));
  const lines = (await Promise.all(received)).map((answer) => Number(answer.slice("200 ".length)));
  expect(lines.toSorted((a, b) => a - b)).toEqual(repeat(20, (i) => i));
  expect(new Set(await Promise.all(sent))).toEqual(new Set(["200 "]));
  await expectNothingLeft();
});
