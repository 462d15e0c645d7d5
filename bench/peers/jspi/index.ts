// JSPI: the engine suspends the guest's stack at an import that returns a promise. A call of an export is a stack, and
// an operation in flight is a call.

import type { Peer } from "../../peer.ts";
import { heldReads } from "../../store.ts";
import { counted, inBatches, inFlight } from "../straight-line.ts";
import { chain, latency, reads } from "./guest.ts";

export const peer: Peer = {
  noop: (count, batch) => inBatches(count, batch, chain),
  chain: (count) => counted(count, [chain(count)]),
  pummel: (count, size) => inFlight(count, size, chain),
  fiber: (count) => counted(count, [chain(count)]),
  latency: (count) => counted(count, [latency(count)]),
  "million-in-flight"(count, size) {
    heldReads.expect(size);
    return inBatches(count, size, reads);
  },
};
