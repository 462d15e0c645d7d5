// Read: brings the whole body of a request or a response into the guest.

import type { Processor } from "../operation.ts";
import { bodyOf, readBody } from "../resource.ts";

interface Source {
  body: ReadableStream<Uint8Array> | null;
  bytesMax: number;
}

export const Read: Processor<Source> = {
  decode({ resource, argument0 }, context) {
    const limit = context.host.limits.bodyBytes;
    const bytesMax = argument0 === 0 ? limit : Math.min(argument0, limit);
    return { body: bodyOf(context.resource(resource)).takeBody(), bytesMax };
  },

  async perform({ body, bytesMax }, { signal }) {
    return { payload: await readBody(body, bytesMax, signal) };
  },
};
