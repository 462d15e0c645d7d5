import { Proactor, kv } from "wasm-proactor";
import type { Isolation } from "wasm-proactor";
import faulty from "../../../build/bench/fault-tax.wasm";
import { payloads } from "../../payload.ts";
import type { Run } from "../../peer.ts";
import { AT_ONCE, ask } from "../../requests.ts";
import { limits } from "./guest.ts";

/** Requests of which some trap. */
export function faultTax(isolation: Isolation): Run {
  const resources = { STORE: kv(payloads) };
  const app = new Proactor(faulty, { isolation, resources, limits, onError: () => {} });
  // With the hundredth trap a shared instance ends, and whoever is in it with the one that trapped fails too.
  const failing = isolation === "shared" ? AT_ONCE - 1 : 0;
  return (count, faults) => ask((request) => app.fetch(request), count, faults, failing);
}
