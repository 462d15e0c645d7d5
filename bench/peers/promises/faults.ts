import { payloads } from "../../payload.ts";
import type { Run } from "../../peer.ts";
import { PAGE_BYTES, ask } from "../../requests.ts";

async function handle(request: Request): Promise<Response> {
  const value = await payloads.get(String(PAGE_BYTES), { type: "arrayBuffer" });
  if (new URL(request.url).pathname === "/fault") throw new Error("a fault");
  return new Response(value);
}

/** What a server does with a handler that throws. */
async function serve(request: Request): Promise<Response> {
  try {
    return await handle(request);
  } catch {
    return new Response("internal error", { status: 500 });
  }
}

export const faultTax: Run = (count, faults) => ask(serve, count, faults);
