// Worker thread: `node hosts/worker-thread/serve.ts app.wasm`

import { command } from "../command.ts";
import { listen } from "../node/http.ts";
import { served } from "../serve.ts";
import { Thread } from "./thread.ts";

await command(async (flags) => served(await Thread.start(flags), flags, listen));
