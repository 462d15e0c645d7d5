// The noop cells' other half inside workerd: awaited promises.

import { awaitPromises } from "../promises.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const count = Number(searchParams.get("count"));
    await awaitPromises(count, Number(searchParams.get("batch")));
    return new Response(String(count));
  },
};
