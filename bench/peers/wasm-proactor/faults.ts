import { Proactor, kv } from "wasm-proactor";
import type { Isolation } from "wasm-proactor";
import faulty from "../../../build/bench/fault-tax.wasm";
import { payloads } from "../../payload.ts";
import type { Run } from "../../peer.ts";
import { ask } from "../../requests.ts";

/** Requests of which some trap. */
export function faultTax(isolation: Isolation): Run {
  const app = new Proactor(faulty, { isolation, resources: { STORE: kv(payloads) }, onError: () => {} });
  return (count, faults) => ask((request) => app.fetch(request), count, faults);
}
