// This package's fibers where the engine has no stack switching: the same guest, put through Asyncify.

import fiber from "../../../build/bench/fiber.asyncify.wasm";
import type { Peer } from "../../peer.ts";
import { Guest } from "../wasm-proactor/guest.ts";

export const peer: Peer = {
  fiber: new Guest(fiber).at(""),
};
