import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { path, ROOT } from "../../scripts/paths.ts";

/** Starts `npm start` with the arguments; `line` waits until its output matches. */
function start(...argv: string[]) {
  const child = spawn(process.execPath, [path("scripts/start.ts"), ...argv], { cwd: ROOT });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (output += bytes));
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { child, exit, output: () => output };
}

test.for(["SIGINT", "SIGTERM"] as const)("start: what it says to try works, and %s ends it cleanly", async (signal) => {
  const { child, exit, output } = start("--port", "0");
  await expect.poll(output, { timeout: 100_000 }).toContain("Ctrl+C stops it.");
  const [url] = /http:\/\/localhost:\d+/.exec(output())!;
  const tries = [...output().matchAll(/curl (?:-i )?"?(http:[^\s"]+)/g)].map((match) => match[1]!);
  expect(tries).toHaveLength(3);
  for (const address of [url, ...tries]) expect((await fetch(address)).status).toBe(200);
  child.kill(signal);
  expect(await exit).toBe(0);
  await expect(fetch(`${url}/hello`)).rejects.toThrow();
});

test("start: --example serves an example, with its values in the store", async () => {
  const { child, exit, output } = start("--port", "0", "--example", "basics");
  await expect.poll(output, { timeout: 100_000 }).toContain("examples/basics/README.md says what to try.");
  const [url] = /http:\/\/localhost:\d+/.exec(output())!;
  expect(await (await fetch(`${url}/welcome`)).text()).toBe("hello from KV");
  child.kill("SIGINT");
  expect(await exit).toBe(0);
});

test("start: says what to do about a port in use", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const { exit, output } = start("--port", String(port));
  expect(await exit).toBe(1);
  expect(output()).toContain(`port ${port} is in use; stop what listens there or choose another with --port`);
  server.close();
});

test.for([
  [["--port", "70000"], "--port takes 0 to 65535, not 70000"],
  [["--isolation", "none"], "--isolation takes request, pooled, shared, not none"],
  [["--example", "none"], "--example takes basics, "],
  [["--prot", "1"], "--prot"],
] as const)("start: %s is refused with a reason", async ([argv, reason]) => {
  const { exit, output } = start(...argv);
  expect(await exit).toBe(1);
  expect(output()).toContain(reason);
});
