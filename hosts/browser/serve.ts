// `npm run playground`: serves the page.

import { parseArgs } from "node:util";
import { startPlayground } from "./server.ts";

const { values } = parseArgs({ options: { port: { type: "string", default: "8788" } } });
console.log(`listening on ${(await startPlayground(Number(values.port))).url}`);
