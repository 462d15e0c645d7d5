import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { Example } from "./example.ts";

test("basics: a handler starts the next operation", async () => {
  const example = await Example.start("basics");
  expect(await example.fetch("/visits")).toEqual({ status: 200, text: "visit 1" });
  expect(await example.fetch("/visits")).toEqual({ status: 200, text: "visit 2" });
  expect(await example.get("visits")).toBe("2");
});

test("basics: a value, an empty one, and none", async () => {
  const example = await Example.start("basics");
  expect(await example.fetch("/welcome")).toEqual({ status: 200, text: "hello from KV" });
  expect(await example.fetch("/empty")).toEqual({ status: 200, text: "" });
  expect(await example.fetch("/nowhere")).toEqual({ status: 404, text: "there is no such page" });
});

test("basics: a store that fails is a result, and the instance serves on", async () => {
  const example = await Example.start("basics", { faults: { kvRateLimited: 1 } });
  const refused = { status: 502, text: `status ${Status.RateLimited}: KV: 429 Too Many Requests` };
  expect(await example.fetch("/welcome")).toEqual(refused);
  expect(await example.fetch("/visits")).toEqual(refused);
  example.world.calm();
  expect(await example.fetch("/visits")).toEqual({ status: 200, text: "visit 1" });
  expect(example.app.counters.instances).toBe(1);
});

test("basics: what is finished at once completes after the call that submitted it, too", async () => {
  const example = await Example.start("basics");
  const { text } = await example.fetch("/order");
  expect(text.split("\n")).toEqual([
    "both are submitted",
    `noop completed with ${Status.Ok}`,
    `get completed with ${Status.Invalid}`,
  ]);
});
