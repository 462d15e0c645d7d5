// The driver of the JavaScript host in a page of Chromium.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { launchChromium } from "../scripts/chromium.ts";
import { path } from "../scripts/paths.ts";

const { outputFiles } = await build({
  stdin: {
    contents: `import { World } from "./world.ts";
      const world = new World(async (path) => WebAssembly.compile(await (await fetch(path)).arrayBuffer()));
      console.log = console.error = world.log;
      globalThis.perform = (command) => world.perform(command);`,
    resolveDir: path("conformance"),
    loader: "ts",
  },
  bundle: true,
  write: false,
  format: "iife",
  logLevel: "error",
});

// A page of an address of its own, which the browser lets have modules and streams.
const server = createServer(async (request, response) => {
  if (request.url!.endsWith(".wasm")) return response.end(await readFile(path(request.url!.slice(1))));
  return response.setHeader("content-type", "text/html").end("<!doctype html><title>world</title>");
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

const browser = await launchChromium();
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
await page.addScriptTag({ content: outputFiles[0]!.text });

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.do === "start") command.module = `/${command.module.slice(path("").length).replace(/^\//, "")}`;
  const reply = await page.evaluate(
    (command) => (globalThis as unknown as { perform(command: unknown): Promise<object> }).perform(command),
    command,
  );
  const hello = command.do === "hello" && { host: `Chromium ${browser.version()}`, engine: "V8" };
  process.stdout.write(`${JSON.stringify({ ...reply, ...hello })}\n`);
}
await browser.close();
server.close();
