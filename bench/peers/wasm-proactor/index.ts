// This package: a guest's operations through the completion queue.

import noop from "../../../build/bench/noop.wasm";
import type { Peer } from "../../peer.ts";
import { guest } from "./guest.ts";

export const peer: Peer = {
  noop: guest(noop, "/noop"),
};
