// The guest, and what makes the engine suspend it.

import module from "../../../build/bench/peers/jspi.wasm";
import { nothing, sleep } from "../operations.ts";

/** What TypeScript does not know of JSPI yet. */
interface Jspi {
  Suspending: new (fn: () => Promise<void>) => WebAssembly.ImportValue;
  promising(fn: WebAssembly.ExportValue): (count: number) => Promise<number>;
}

const { Suspending, promising } = WebAssembly as unknown as Jspi;
const imports = { guest: { nothing: new Suspending(nothing), sleep: new Suspending(sleep) } };
const guest = new WebAssembly.Instance(module, imports).exports;

export const chain = promising(guest["chain"]!);
export const latency = promising(guest["latency"]!);
