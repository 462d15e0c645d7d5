import { expect, test } from "vitest";
import { Example } from "./example.ts";

// A limit that waits for each before it starts the next is never passed, and never reached.
test("limit: of a hundred items five run at once, neither more nor fewer", async () => {
  const example = await Example.start("limit", { delay: [10, 10] });
  expect(await example.fetch("/items")).toEqual({ status: 200, text: "100 of 100" });
  expect(example.world.fetchingMost).toBe(5);
  expect(example.world.clock.now()).toBe((100 / 5) * 10);
});

test.for([1, 2, 3])("limit: a place is taken as soon as it is free (seed %i)", async (seed) => {
  let started = 0;
  let idleMost = 0;
  const example = await Example.start("limit", {
    seed,
    upstream: () => {
      started++;
      // Each is counted until it has its answer; only of the last five there is nobody left to follow.
      if (started <= 96) idleMost = Math.max(idleMost, 5 - example.world.fetching);
      return new Response();
    },
  });
  await example.fetch("/items");
  expect(started).toBe(100);
  expect(idleMost).toBe(0);
});

test("limit: items that fail are counted, and give their places back", async () => {
  const example = await Example.start("limit", {
    upstream: (request) => new Response(null, { status: request.url.endsWith("0") ? 404 : 200 }),
  });
  expect(await example.fetch("/items")).toEqual({ status: 200, text: "90 of 100" });
  example.world.faults.network = 1;
  expect(await example.fetch("/items")).toEqual({ status: 200, text: "0 of 100" });
});

test("limit: in a shared instance the gate is one for all requests", async () => {
  const example = await Example.start("limit", { isolation: "shared" });
  const answers = await Promise.all(["/items", "/items", "/items"].map((path) => example.fetch(path)));
  expect(answers.map(({ text }) => text)).toEqual(["100 of 100", "100 of 100", "100 of 100"]);
  expect(example.world.fetchingMost).toBe(5);
});

test("limit: of four workers for two places two are refused, at once", async () => {
  const example = await Example.start("limit");
  const transcript = [
    "worker 1 has a place",
    "worker 2 has a place",
    "worker 3 is refused",
    "worker 4 is refused",
    "worker 1 gives it back",
    "worker 2 gives it back",
  ];
  // And again: the places are free.
  for (let i = 0; i < 2; i++) expect((await example.fetch("/workers")).text.split("\n")).toEqual(transcript);
  expect(example.world.clock.now()).toBe(20);
});
