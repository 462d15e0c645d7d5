// Awaited promises in plain JavaScript: what everything else is compared with.

import { checkPayload, payload, payloads } from "../../payload.ts";
import type { Peer } from "../../peer.ts";
import { faultTax } from "./faults.ts";
import { sleep } from "../operations.ts";

/** An operation that does nothing, as one writes it without thinking of its cost. */
async function nothing(): Promise<void> {
  await Promise.resolve();
}

export const peer: Peer = {
  async noop(count, batch) {
    if (batch === 1) for (let done = 0; done < count; done++) await nothing();
    else for (let done = 0; done < count; done += batch) await Promise.all(Array.from({ length: batch }, nothing));
  },

  async latency(count) {
    for (let done = 0; done < count; done++) await sleep();
  },

  "fault-tax": faultTax,

  // Bytes that come from a store are JavaScript's own already: nothing is copied.

  async "copy-in"(count, size) {
    const key = String(size);
    for (let done = 0; done < count; done++) checkPayload(await payloads.get(key, { type: "arrayBuffer" }), size);
  },

  async "copy-out"(count, size) {
    const key = String(size);
    const bytes = payload(size);
    for (let done = 0; done < count; done++) await payloads.put(key, bytes, {});
  },
};
