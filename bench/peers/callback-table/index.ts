// A guest with a table of callbacks. Each operation's promise calls the guest when it has resolved.

import module from "../../../build/bench/peers/callback-table.wasm";
import type { Peer, Run } from "../../peer.ts";
import { heldReads } from "../../store.ts";
import { nothing, sleep } from "../operations.ts";

type Work = "noop" | "pummel" | "latency" | "reads";

interface Guest extends Record<Work, (count: number, size: number) => void> {
  memory: WebAssembly.Memory;
  result: WebAssembly.Global;
  complete(id: number, bytes: number): void;
}

let finish: (completed: number) => void;

const guest = new WebAssembly.Instance(module, {
  env: {
    abort() {
      throw new Error("the guest aborts");
    },
  },
  guest: {
    async nothing(id: number) {
      await nothing();
      guest.complete(id, 0);
    },
    async sleep(id: number) {
      await sleep();
      guest.complete(id, 0);
    },
    async read(id: number) {
      const value = new Uint8Array(await heldReads.get());
      new Uint8Array(guest.memory.buffer, guest.result.value as number, 1024).set(value);
      guest.complete(id, value.length);
    },
    finish: (completed: number) => finish(completed >>> 0),
  },
}).exports as unknown as Guest;

const run =
  (name: Work): Run =>
  (count, size) =>
    new Promise((resolve, reject) => {
      finish = (completed) =>
        completed === count ? resolve() : reject(new Error(`${completed} operations have completed, not ${count}`));
      guest[name](count, size);
    });

const reads = run("reads");

export const peer: Peer = {
  noop: run("noop"),
  chain: (count) => run("pummel")(count, 1),
  pummel: run("pummel"),
  latency: run("latency"),
  "million-in-flight"(count, size) {
    heldReads.expect(size);
    return reads(count, size);
  },
};
