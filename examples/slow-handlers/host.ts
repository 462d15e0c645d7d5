import { createWorker } from "wasm-proactor/cloudflare";
import { watchHandlers } from "wasm-proactor/watch";
import app from "./guest.wasm";

// While you develop: a handler that takes more than 5 ms becomes a warning that names it.
export default createWorker(app, () => ({}), { instantiate: watchHandlers({ ms: 5 }) });
