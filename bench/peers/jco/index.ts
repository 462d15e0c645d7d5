// A component with an async import, transpiled by jco, in straight-line code: the import is lowered synchronously, and JSPI
// suspends the guest.

import type { Component } from "../../../build/bench/peers/jco/guest.js";
import type { Peer } from "../../peer.ts";
import { counted, inBatches, inFlight } from "../straight-line.ts";
import { component } from "./component.ts";

/** A component lets one call in at a time; the others wait before it. So what is to be in flight at once needs several. */
const components: Component[] = [];
const componentOf = (lane: number): Component => (components[lane] ??= component());
const { chain, latency } = componentOf(0);

export const peer: Peer = {
  noop: (count, batch) => inBatches(count, batch, chain),
  chain: (count) => counted(count, [chain(count)]),
  pummel: (count, size) => inFlight(count, size, (part, lane) => componentOf(lane).chain(part)),
  fiber: (count) => counted(count, [chain(count)]),
  latency: (count) => counted(count, [latency(count)]),
};
