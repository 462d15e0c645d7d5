// Workers, the worker thread and the simulator are tested by what their README shows, in workerd.test.ts.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { path } from "../../scripts/paths.ts";
import { Example } from "./example.ts";

test("hosts: Node's server answers", async () => {
  const server = spawn(process.execPath, [path("examples/hosts/node/server.ts"), "0"]);
  try {
    const [line] = (await once(server.stdout, "data")) as [Buffer];
    const url = line.toString().trim();
    expect(await (await fetch(`${url}/ada`)).text()).toBe("hello, Ada Lovelace");
    expect((await fetch(`${url}/nobody`)).status).toBe(404);
  } finally {
    server.kill();
    await once(server, "exit");
  }
});

test("hosts: a store that takes less than 5 s is waited for, one that takes longer is not", async () => {
  const fast = await Example.start("hosts", { delay: [4999, 4999] });
  expect(await fast.fetch("/grace")).toEqual({ status: 200, text: "hello, Grace Hopper" });
  const slow = await Example.start("hosts", { delay: [5001, 5001] });
  expect(await slow.fetch("/grace")).toEqual({ status: 504, text: "the store takes too long" });
  const failing = await Example.start("hosts", { faults: { kvRateLimited: 1 } });
  expect(await failing.fetch("/grace")).toMatchObject({ status: 502 });
});
