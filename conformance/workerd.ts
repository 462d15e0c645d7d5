// The driver of the JavaScript host inside the Workers runtime: commands go to a Worker by one WebSocket, because all of a
// world must happen in one request. Modules cannot be compiled there, so the Worker imports all that the cases name.

import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { createInterface } from "node:readline";
import { COMPATIBILITY_DATE, startLocal } from "../scripts/miniflare.ts";
import { path } from "../scripts/paths.ts";
import { readCases } from "./cases.ts";

const ENTRY = "build/conformance/workerd.ts";

const named = readCases().flatMap(({ cases }) => cases.flatMap(({ steps }) => steps.map((step) => step.do)));
const modules = [...new Set(named.flatMap((command) => (command.do === "start" ? [command.module] : [])))];
writeFileSync(
  path(ENTRY),
  `import { serveWorld } from "../../conformance/workerd-world.ts";
${modules.map((module, index) => `import m${index} from "${relative("build/conformance", module).replace(/^(?!\.)/, "./")}";`).join("\n")}
export default serveWorld({${modules.map((module, index) => `"${module}": m${index}`).join(", ")}});
`,
);

const local = await startLocal({ entry: ENTRY });
const socket = new WebSocket(local.url.replace("http", "ws"));
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
