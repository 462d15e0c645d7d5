// This package: a guest's operations through the completion queue.

import { Proactor, kv, origin } from "wasm-proactor";
import copy from "../../../build/bench/copy.wasm";
import http from "../../../build/bench/http.wasm";
import noop from "../../../build/bench/noop.wasm";
import { payloads } from "../../payload.ts";
import type { Peer } from "../../peer.ts";
import { sleep } from "../operations.ts";
import { faultTax } from "./faults.ts";
import { guest } from "./guest.ts";

const STORE = kv(payloads);
/** Has an empty value for whatever it is asked for, a millisecond later. */
const SLOW = kv({ ...payloads, get: () => sleep().then(() => new ArrayBuffer(0)) });
const readSlowly = guest(copy, "/in", { STORE: SLOW });

export const peer: Peer = {
  noop: guest(noop, "/noop"),
  "copy-in": guest(copy, "/in", { STORE }),
  "copy-out": guest(copy, "/out", { STORE }),
  latency: (count) => readSlowly(count, 0),
  "fault-tax": faultTax("pooled"),
  "fault-tax-shared": faultTax("shared"),

  instance(count) {
    const resources = { CACHE: STORE, UPSTREAM: origin("http://localhost") };
    for (let made = 0; made < count; made++) void new Proactor(http, { resources });
  },
};
