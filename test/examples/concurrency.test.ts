import { expect, test } from "vitest";
import { Example } from "./example.ts";

const READ_MS = 10;

/** Milliseconds one by one and at once, and how many times as fast, as the guest prints them. */
async function compare(reads: number, limit: number, connections = 1000): Promise<number[]> {
  const example = await Example.start("concurrency", { delay: [READ_MS, READ_MS], limits: { connections } });
  const { text } = await example.fetch(`/?reads=${reads}&limit=${limit}`);
  return text.split("\n").map((line) => Number(/: ([\d.]+)/.exec(line)![1]));
}

test.for([
  [100, 1],
  [100, 5],
  [100, 10],
  [100, 50],
  [100, 100],
  [100, 1000],
  [7, 7],
  [1, 5],
] as const)("concurrency: %i reads, %i at once, are min(N, limit) times as fast", async ([reads, limit]) => {
  const speedUp = Math.min(reads, limit);
  const oneByOne = reads * READ_MS;
  expect(await compare(reads, limit)).toEqual([oneByOne, oneByOne / speedUp, speedUp]);
});

test("concurrency: a host that gives a request six connections is the limit then", async () => {
  expect(await compare(60, 1000, 6)).toEqual([600, 100, 6]);
});

test("concurrency: numbers that make no sense are refused", async () => {
  const example = await Example.start("concurrency");
  for (const query of ["reads=0", "reads=1001", "limit=0", "limit=many", "reads=-5"])
    expect(await example.fetch(`/?${query}`)).toEqual({ status: 400, text: "reads and limit are 1 to 1000" });
});

test("concurrency: a store that fails is an answer", async () => {
  const example = await Example.start("concurrency", { faults: { kvRateLimited: 1 } });
  expect(await example.fetch("/")).toMatchObject({ status: 502 });
});
