// workerd: the deployed Worker as `npm start` runs it, with the flags of every other host.

import { serveWorker } from "./local.ts";

await serveWorker({ entry: "worker/index.ts" });
