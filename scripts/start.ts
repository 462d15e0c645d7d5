// `npm start`: builds, then serves the Worker on local workerd with embedded KV and an embedded upstream.

import { constants } from "node:os";
import { parseArgs, styleText } from "node:util";
import { build } from "./build.ts";
import { startLocal } from "./miniflare.ts";

const { SIGINT, SIGTERM } = constants.signals;

const ISOLATIONS = ["request", "pooled", "shared"] as const;

const HELP = `Builds the Worker and serves it on local workerd; needs no account and no network.

  npm start -- [--port 8787] [--isolation request|pooled|shared]

  --port       where to listen
  --isolation  how many requests share an instance of the guest; pooled without it
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
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

  // The Worker is bundled from its sources, so that its guest is all that must be built.
  await build({ only: "worker" });
  const { url } = await startLocal({ port, ...(isolation && { isolation }) });
  console.log(`
  ${styleText("bold", "wasm-proactor")} serves at ${styleText("cyan", url)}

  Try, in another terminal:
    curl ${url}/hello
    curl "${url}/aggregate?n=5&delay=100"
    curl -i ${url}/page/welcome

  Ctrl+C stops it.`);

  // Miniflare ends workerd on either signal and exits as if that were a failure; here it is how one stops.
  process.on("exit", (code) => {
    if (code === 128 + SIGINT || code === 128 + SIGTERM) process.exitCode = 0;
  });
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
