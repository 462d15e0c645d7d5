// The driver of the JavaScript host inside the Workers runtime: commands go to a Worker by one WebSocket, because all of a
// world must happen in one request; with `--durable-object`, in an object. Modules cannot be compiled there, so the Worker imports all that the cases name.

import { rmSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { createInterface } from "node:readline";
import { COMPATIBILITY_DATE, startLocal } from "../scripts/miniflare.ts";
import { path } from "../scripts/paths.ts";
import { isBuilt, readCases } from "./cases.ts";

const isObject = process.argv.includes("--durable-object");

const commands = readCases()
  .filter(isBuilt)
  .flatMap(({ cases }) => cases.flatMap(({ steps }) => steps.map((step) => step.do)));
const modules = [...new Set(commands.flatMap((command) => (command.do === "start" ? [command.module] : [])))];
const specifier = (file: string): string => relative("build/conformance", file).replace(/^(?!\.)/, "./");
const entry = [
  `import { worldObject, worldWorker } from "../../conformance/workerd-world.ts";`,
  ...modules.map((module, index) => `import m${index} from "${specifier(module)}";`),
  `const modules = {${modules.map((module, index) => `"${module}": m${index}`).join(", ")}};`,
  `export default worldWorker(modules);`,
  `export const WorldObject = worldObject(modules);`,
];
// Of its own, as another driver may start at the same moment.
const file = `build/conformance/workerd-${process.pid}.ts`;
writeFileSync(path(file), entry.join("\n"));
const local = await startLocal({ entry: file, durableObjects: { WORLD: "WorldObject" } }).finally(() =>
  rmSync(path(file)),
);
const socket = new WebSocket(`${local.url.replace("http", "ws")}/${isObject ? "object" : ""}`);
await new Promise((resolve, reject) => {
  socket.addEventListener("open", resolve);
  socket.addEventListener("error", reject);
});

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.do === "start") command.module = relative(path(""), command.module);
  const replied = new Promise<string>((resolve) =>
    socket.addEventListener("message", ({ data }) => resolve(data as string), { once: true }),
  );
  socket.send(JSON.stringify(command));
  const hello = command.do === "hello" && { host: "workerd", engine: `V8, compatibility ${COMPATIBILITY_DATE}` };
  process.stdout.write(`${JSON.stringify({ ...JSON.parse(await replied), ...hello })}\n`);
}
socket.close();
await local.dispose();
