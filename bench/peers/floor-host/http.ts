// A plain Worker that carries the host without using it: what so much code takes to be read.

import { createWorker, kv, origin } from "../../../src/cloudflare.ts";
import plain from "../plain/http.ts";

export const unused = (): unknown[] => [createWorker, kv, origin];

export default plain;
