import { expect, test } from "vitest";
import { Example } from "./example.ts";

const STYLES = ["submit", "then", "await"];

test.for(STYLES)("styles: %s receives a value, none, and a failure", async (style) => {
  const example = await Example.start("styles");
  expect(await example.fetch(`/${style}/greeting`)).toEqual({ status: 200, text: "hello" });
  expect(await example.fetch(`/${style}/nothing`)).toEqual({ status: 404, text: "there is no such key" });
  example.world.faults.kvRateLimited = 1;
  expect(await example.fetch(`/${style}/greeting`)).toMatchObject({ status: 502 });
});
