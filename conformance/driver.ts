// The driver of the JavaScript host for Node, Deno and Bun: one command a line in, one reply a line out.

import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { World } from "./world.ts";

const world = new World(async (path) => WebAssembly.compile(await readFile(path)));
console.log = console.error = world.log;

const versions = process.versions as Partial<Record<string, string>>;
const name = ["deno", "bun"].find((name) => versions[name]) ?? "node";
const engine = name === "bun" ? "JavaScriptCore" : `V8 ${versions["v8"]}`;

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  const reply = await world.perform(command);
  const hello = command.do === "hello" && { host: `${name} ${versions[name]}`, engine };
  process.stdout.write(`${JSON.stringify({ ...reply, ...hello })}\n`);
}
