import { describe, expect, test } from "vitest";
import { Example } from "./example.ts";
import type { ExampleOptions } from "./example.ts";

const STYLES = ["handlers", "then", "task", "await"];

const written = { status: 200, reason: "written" };
const noUser = { status: 404, reason: "no such user" };
const malformed = { status: 422, reason: "the user's record is malformed" };
const noDetails = { status: 502, reason: "the details could not be fetched" };

const upstream = (request: Request): Response => new Response(`details of ${request.url.at(-1)}`);

async function run(style: string, users: string, options: ExampleOptions = {}) {
  const example = await Example.start("pipeline", { upstream, ...options });
  const { status, text } = await example.fetch(`/${style}?users=${users}`);
  return { example, status, outcomes: status === 200 ? (JSON.parse(text) as unknown) : text };
}

describe.for(STYLES)("%s", (style) => {
  test("pipeline: for three users at once, of whom one is missing", async () => {
    const { example, outcomes } = await run(style, "1,3,2");
    expect(outcomes).toEqual([written, noUser, written]);
    expect(await example.get("profile/1")).toBe("Ada from London: details of 1");
    expect(await example.get("profile/2")).toBe("Grace from New York: details of 2");
    expect(await example.get("profile/3")).toBeNull();
  });

  test("pipeline: all users at once take no longer than one", async () => {
    const { example } = await run(style, "1,2,1", { delay: [10, 10] });
    expect(example.world.clock.now()).toBe(30);
  });

  test("pipeline: a record that cannot be parsed ends it before details are fetched", async () => {
    let fetches = 0;
    const { outcomes } = await run(style, "4", { upstream: () => new Response(`${fetches++}`) });
    expect(outcomes).toEqual([malformed]);
    expect(fetches).toBe(0);
  });

  test("pipeline: details that are not there, are too long or cannot be reached", async () => {
    const missing = await run(style, "1", { upstream: () => new Response("no", { status: 404 }) });
    expect(missing.outcomes).toEqual([noDetails]);
    const long = await run(style, "1", { upstream: () => new Response("0".repeat(1001)) });
    expect(long.outcomes).toEqual([noDetails]);
    const broken = await run(style, "1", { faults: { network: 1 } });
    expect(broken.outcomes).toEqual([noDetails]);
    expect(await broken.example.get("profile/1")).toBeNull();
  });

  test("pipeline: a store that fails while it is read, or while it is written", async () => {
    const { outcomes } = await run(style, "1", { faults: { kvRateLimited: 1 } });
    expect(outcomes).toEqual([{ status: 502, reason: "the user could not be read" }]);
    const example = await Example.start("pipeline", {
      upstream: () => {
        example.world.faults.kvRateLimited = 1;
        return new Response("details");
      },
    });
    const { text } = await example.fetch(`/${style}?users=1`);
    expect(JSON.parse(text)).toEqual([{ status: 502, reason: "the profile could not be written" }]);
  });

  test("pipeline: forty requests at once in a shared instance get outcomes of their own", async () => {
    const example = await Example.start("pipeline", { upstream, isolation: "shared", faults: { bodyBroken: 0.2 } });
    const users = Array.from({ length: 40 }, (_, index) => (index % 4) + 1);
    const answers = await Promise.all(users.map((user) => example.fetch(`/${style}?users=3,${user}`)));
    const expected = [[written, noDetails], [written, noDetails], [noUser], [malformed]];
    for (const [index, { text }] of answers.entries()) {
      const [missing, own] = JSON.parse(text) as unknown[];
      expect(missing).toEqual(noUser);
      expect(expected[users[index]! - 1]).toContainEqual(own);
    }
  });

  test("pipeline: with too many users nothing is started", async () => {
    const { example, status } = await run(style, ",".repeat(100));
    expect([status, example.world.clock.now()]).toEqual([400, 0]);
  });
});

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

test.for(SEEDS)("pipeline: in the same world all styles have the same outcomes (seed %i)", async (seed) => {
  const faults = { network: 0.3, kvRateLimited: 0.2 };
  const users = "1,2,3,4,1,2";
  const [first, ...others] = await Promise.all(STYLES.map((style) => run(style, users, { seed, faults })));
  expect(first!.outcomes).toHaveLength(6);
  for (const { outcomes } of others) expect(outcomes).toEqual(first!.outcomes);
});
