// The guest, and what makes the engine suspend it.

import module from "../../../build/bench/peers/jspi.wasm";
import { heldReads } from "../../store.ts";
import { nothing, sleep } from "../operations.ts";

/** What TypeScript does not know of JSPI yet. */
interface Jspi {
  Suspending: new (fn: () => Promise<void | number>) => WebAssembly.ImportValue;
  promising(fn: WebAssembly.ExportValue): (count: number) => Promise<number>;
}

const { Suspending, promising } = WebAssembly as unknown as Jspi;
const imports = {
  guest: { nothing: new Suspending(nothing), sleep: new Suspending(sleep), read: new Suspending(read) },
};
const guest = new WebAssembly.Instance(module, imports).exports;

async function read(): Promise<number> {
  const value = new Uint8Array(await heldReads.get());
  const { memory, result } = guest as { memory: WebAssembly.Memory; result: WebAssembly.Global };
  new Uint8Array(memory.buffer, result.value as number, 1024).set(value);
  return value.length;
}

export const chain = promising(guest["chain"]!);
export const latency = promising(guest["latency"]!);
export const reads = promising(guest["reads"]!);
