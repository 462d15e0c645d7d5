import { expect, test } from "vitest";
import { Example } from "./example.ts";

test("slow-handlers: at once, nobody else has a turn", async () => {
  const example = await Example.start("slow-handlers");
  expect((await example.fetch("/at-once")).text).toBe("4203 primes; others had 0 turns meanwhile\n");
});

test("slow-handlers: in slices, others have a turn between any two", async () => {
  const example = await Example.start("slow-handlers");
  expect((await example.fetch("/slices")).text).toBe("4203 primes; others had 20 turns meanwhile\n");
});
