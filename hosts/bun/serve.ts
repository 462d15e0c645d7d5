// Bun: `bun hosts/bun/serve.ts app.wasm`

import { fileKv } from "wasm-proactor/node";
import { serve } from "../serve.ts";
import { listen } from "./http.ts";

await serve({ fileKv, listen });
