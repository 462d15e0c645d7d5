// Payloads. Bytes that come from a store are JavaScript's own already: nothing is copied.

import { checkPayload, payload, payloads } from "../../payload.ts";
import type { Run } from "../../peer.ts";

export const copyIn: Run = async (count, size) => {
  const key = String(size);
  for (let done = 0; done < count; done++) checkPayload(await payloads.get(key, { type: "arrayBuffer" }), size);
};

export const copyOut: Run = async (count, size) => {
  const key = String(size);
  const bytes = payload(size);
  for (let done = 0; done < count; done++) await payloads.put(key, bytes, {});
};
