// The component of ../jco, by the component model's own answer to many operations at once: the import is lowered
// asynchronously, the export is lifted with a callback.

import type { Peer } from "../../peer.ts";
import { component } from "../jco/component.ts";
import { counted } from "../straight-line.ts";

/** A fresh one for each: on Workers its timers are those of one request, and with the next request it would hang. */
export const peer: Peer = {
  noop: (count, batch) => counted(count, [component().batches(count, batch)]),
  chain: (count) => counted(count, [component().batches(count, 1)]),
  pummel: (count, size) => counted(count, [component().pummel(count, size)]),
  latency: (count) => counted(count, [component().sleeps(count)]),
};
