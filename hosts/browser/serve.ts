// `npm run playground`: serves the page.

import { parseArgs } from "node:util";
import { startPlayground } from "./server.ts";

const HELP = `Serves a page that runs the Worker's guest in the browser.

  npm run playground -- [--port 8788]

  --port  where to listen; 0 takes a free one
`;

const PORT_MAX = 65_535;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8788" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > PORT_MAX)
    throw new Error(`--port takes 0 to ${PORT_MAX}, not ${values.port}`);
  console.log(`listening on ${(await startPlayground(port)).url}`);
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
