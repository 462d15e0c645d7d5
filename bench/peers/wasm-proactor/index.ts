// This package: a guest's operations through the completion queue.

import { Proactor, kv, origin } from "wasm-proactor";
import copy from "../../../build/bench/copy.wasm";
import http from "../../../build/bench/http.wasm";
import noop from "../../../build/bench/noop.wasm";
import { payloads } from "../../payload.ts";
import type { Peer } from "../../peer.ts";
import { guest } from "./guest.ts";

const STORE = kv(payloads);

export const peer: Peer = {
  noop: guest(noop, "/noop"),
  "copy-in": guest(copy, "/in", { STORE }),
  "copy-out": guest(copy, "/out", { STORE }),

  instance(count) {
    const resources = { CACHE: STORE, UPSTREAM: origin("http://localhost") };
    for (let made = 0; made < count; made++) void new Proactor(http, { resources });
  },
};
