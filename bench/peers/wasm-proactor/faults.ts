import { Proactor, kv } from "wasm-proactor";
import type { Isolation } from "wasm-proactor";
import faulty from "../../../build/bench/fault-tax.wasm";
import { payloads } from "../../payload.ts";
import type { Run } from "../../peer.ts";
import { ask } from "../../requests.ts";
import { limits } from "./guest.ts";

/** Requests of which some trap. */
export function faultTax(isolation: Isolation): Run {
  const resources = { STORE: kv(payloads) };
  const app = new Proactor(faulty, { isolation, resources, limits, onError: () => {} });
  return (count, faults) => ask((request) => app.fetch(request), count, faults);
}
