// This package: a guest's operations through the completion queue.

import { Proactor, kv, origin } from "wasm-proactor";
import { jspi } from "wasm-proactor/fiber";
import chain from "../../../build/bench/chain.wasm";
import compose from "../../../build/bench/compose.wasm";
import copy from "../../../build/bench/copy.wasm";
import fiber from "../../../build/bench/fiber.wasm";
import http from "../../../build/bench/http.wasm";
import noop from "../../../build/bench/noop.wasm";
import store from "../../../build/bench/store.wasm";
import timers from "../../../build/bench/timers.wasm";
import { payloads } from "../../payload.ts";
import type { Peer, Run } from "../../peer.ts";
import { heldReads, promptRead, readable } from "../../store.ts";
import { sleep } from "../operations.ts";
import { faultTax } from "./faults.ts";
import { Guest } from "./guest.ts";

const noops = new Guest(noop);
const shared = new Guest(noop, { isolation: "shared" });
const held = new Guest(store, { resources: { STORE: kv(readable(() => heldReads.get())) } });
const prompt = new Guest(store, { resources: { STORE: kv(readable(promptRead)) } });
const copying = new Guest(copy, { resources: { STORE: kv(payloads) } });
/** Has an empty value for whatever it is asked for, a millisecond later. */
const slow = new Guest(copy, {
  resources: { STORE: kv({ ...payloads, get: () => sleep().then(() => new ArrayBuffer(0)) }) },
});
const waiting = new Guest(timers);
const composed = new Guest(compose);

const millionInFlight: Run = (count, size) => {
  heldReads.expect(size);
  return held.ask("batches", count, size);
};

/** Requests of one instance at the same time, each with one operation after the other. */
const contexts: Run = async (count, size) => {
  const requests = Array.from({ length: size }, () => shared.ask("noop", count / size, 1));
  await Promise.all(requests);
};

const instance: Run = (count) => {
  const resources = { CACHE: kv(payloads), UPSTREAM: origin("http://localhost") };
  for (let made = 0; made < count; made++) void new Proactor(http, { resources });
};

export const peer: Peer = {
  noop: noops.at("noop"),
  chain: new Guest(chain).at(""),
  pummel: noops.at("pummel"),
  "million-in-flight": millionInFlight,
  "million-timers": waiting.at("due"),
  "cancel-storm": waiting.at("cancelled"),
  "timeout-each": prompt.at("timeouts"),
  gather: composed.at("gather"),
  race: composed.at("race"),
  limit: composed.at("limit"),
  retry: composed.at("retry"),
  fiber: new Guest(fiber, { instantiate: jspi() }).at(""),
  "copy-in": copying.at("in"),
  "copy-out": copying.at("out"),
  latency: (count) => slow.ask("in", count, 0),
  contexts,
  "fault-tax": faultTax("pooled"),
  "fault-tax-shared": faultTax("shared"),
  instance,
};
