// The driver of the JavaScript host in a worker thread of Node: the thread has the world, the main thread the lines.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Worker, parentPort } from "node:worker_threads";
import type { Command } from "./protocol.ts";
import { World } from "./world.ts";

if (parentPort) {
  const port = parentPort;
  const world = new World(async (path) => WebAssembly.compile(await readFile(path)));
  console.log = console.error = world.log;
  port.on("message", (command: Command) => void world.perform(command).then((reply) => port.postMessage(reply)));
} else {
  const thread = new Worker(new URL(import.meta.url));
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as Command;
    thread.postMessage(command);
    const [reply] = (await once(thread, "message")) as [object];
    const { node, v8 } = process.versions;
    const hello = command.do === "hello" && { host: `node ${node}`, engine: `V8 ${v8}` };
    process.stdout.write(`${JSON.stringify({ ...reply, ...hello })}\n`);
  }
  await thread.terminate();
}
