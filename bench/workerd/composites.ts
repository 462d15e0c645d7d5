// The compose cells' other half inside workerd: promises.

import { composePromises } from "../composites.ts";
import type { Kind } from "../composites.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const count = Number(searchParams.get("count"));
    await composePromises(pathname.slice(1) as Kind, count, Number(searchParams.get("batch")));
    return new Response(String(count));
  },
};
