// Read: brings the whole body of a request or a response into the guest.

import type { Processor } from "../operation.ts";
import { readBody } from "../read-body.ts";

export const Read: Processor = {
  name: "read",

  decode({ resource, argument0 }, context) {
    const bytesMax = context.bodyBytesMax(argument0);
    const source = context.resourceOf(resource, "exchange", "body");
    const { headers, body } = source.take();
    const stated = Number(headers.get("content-length")) || 0;
    return async ({ signal }) => ({ payload: await readBody(body, bytesMax, signal, stated) });
  },
};
