// Grants: what worker/index.ts lets this guest reach, and nothing else is.

import { kv, origin } from "../../assembly/index";

export const cache = kv("CACHE");
export const upstream = origin("UPSTREAM");
