// The fiber cells inside workerd, each under its path: /promises, /jspi, /fiber, /asyncify.

import asyncify from "../../build/bench/fiber.asyncify.wasm";
import fiber from "../../build/bench/fiber.wasm";
import loop from "../../build/bench/loop.wasm";
import { createWorker } from "../../src/cloudflare.ts";
import { jspi } from "../../src/fiber.ts";
import { suspendPlainly } from "../jspi.ts";
import { awaitPromises } from "../promises.ts";

// The pump would let other events go first now and then, by a timer, which is not what is measured here.
const limits = { runs: 1_000_000_000 };
const onJspi = createWorker(fiber, () => ({}), { limits, instantiate: jspi() });
const onAsyncify = createWorker(asyncify, () => ({}), { limits });
const suspend = suspendPlainly(loop);

export default {
  async fetch(request: Request, env: object, context: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const count = Number(searchParams.get("count"));
    if (pathname === "/fiber") return onJspi.fetch(request, env, context);
    if (pathname === "/asyncify") return onAsyncify.fetch(request, env, context);
    await (pathname === "/jspi" ? suspend(count) : awaitPromises(count, 1));
    return new Response(String(count));
  },
};
