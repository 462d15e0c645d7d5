// The compose cells' guest inside workerd.

import app from "../../build/bench/compose.wasm";
import { createWorker } from "../../src/cloudflare.ts";

// The pump would let other events go first now and then, by a timer, which is not what is measured here.
export default createWorker(app, () => ({}), { limits: { runs: 1_000_000_000 } });
