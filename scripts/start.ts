// `npm start`: builds, then serves the Worker, or an example, on local workerd with embedded KV and an embedded upstream.

import { existsSync, globSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { basename, dirname } from "node:path";
import { parseArgs, styleText } from "node:util";
import { build } from "./build.ts";
import { startLocal } from "./miniflare.ts";
import type { Local, LocalOptions } from "./miniflare.ts";
import { path, ROOT } from "./paths.ts";

const { SIGINT, SIGTERM } = constants.signals;

const ISOLATIONS = ["request", "pooled", "shared"] as const;

const HELP = `Builds the Worker and serves it on local workerd; needs no account and no network.

  npm start -- [--example name] [--port 8787] [--isolation request|pooled|shared]

  --example    serves an example instead, such as examples/basics
  --port       where to listen
  --isolation  how many requests share an instance of the guest; pooled without it
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      example: { type: "string" },
      port: { type: "string", default: "8787" },
      isolation: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const port = Number(values.port);
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw new Error(`--port takes 0 to 65535, not ${values.port}`);
  const isolation = ISOLATIONS.find((name) => name === values.isolation);
  if (values.isolation && !isolation)
    throw new Error(`--isolation takes ${ISOLATIONS.join(", ")}, not ${values.isolation}`);

  const { example } = values;
  const { url } = example
    ? await startExample(example, port)
    : await startWorker({ port, ...(isolation && { isolation }) });
  const tries = example
    ? `examples/${example}/README.md says what to try.`
    : `Try, in another terminal:
    curl ${url}/hello
    curl "${url}/aggregate?n=5&delay=100"
    curl -i ${url}/page/welcome`;
  console.log(`
  ${styleText("bold", "wasm-proactor")} serves at ${styleText("cyan", url)}

  ${tries}

  Ctrl+C stops it.`);

  // Miniflare ends workerd on either signal and exits as if that were a failure; here it is how one stops.
  process.on("exit", (code) => {
    if (code === 128 + SIGINT || code === 128 + SIGTERM) process.exitCode = 0;
  });
}

async function startWorker(options: LocalOptions): Promise<Local> {
  // It is bundled from its sources, so that its guest is all that must be built.
  await build({ only: "worker" });
  return startLocal(options);
}

/** Serves an example with what its kv.json says in its store. */
async function startExample(name: string, port: number): Promise<Local> {
  const names = globSync("examples/*/host.ts", { cwd: ROOT }).map((file) => basename(dirname(file)));
  if (!names.includes(name)) throw new Error(`--example takes ${names.toSorted().join(", ")}, not ${name}`);
  // Its host imports the package by its name.
  await build({ only: "host" });
  await build({ guest: [`examples/${name}/guest.ts`] });
  const local = await startLocal({ entry: `examples/${name}/host.ts`, port, kv: ["STORE"], upstream: "API" });
  const values = path("examples", name, "kv.json");
  if (existsSync(values)) {
    const store = await local.mf.getKVNamespace("STORE");
    for (const [key, value] of Object.entries(JSON.parse(readFileSync(values, "utf8"))))
      await store.put(key, `${value}`);
  }
  return local;
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
