// Awaited promises in plain JavaScript: what everything else is compared with.

import type { Peer } from "../../peer.ts";
import { cancelStorm, millionTimers, timeoutEach } from "./clock.ts";
import { gather, limit, race, retry } from "./compose.ts";
import { copyIn, copyOut } from "./copy.ts";
import { faultTax } from "./faults.ts";
import { chain, contexts, latency, millionInFlight, noop, pummel } from "./operations.ts";

export const peer: Peer = {
  noop,
  chain,
  pummel,
  "million-in-flight": millionInFlight,
  "million-timers": millionTimers,
  "cancel-storm": cancelStorm,
  "timeout-each": timeoutEach,
  gather,
  race,
  limit,
  retry,
  fiber: (count) => noop(count, 1),
  "copy-in": copyIn,
  "copy-out": copyOut,
  contexts,
  "fault-tax": faultTax,
  latency,
};
