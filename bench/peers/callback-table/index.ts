// A guest with a table of callbacks. Each operation's promise calls the guest when it has resolved.

import module from "../../../build/bench/peers/callback-table.wasm";
import type { Peer, Run } from "../../peer.ts";
import { nothing, sleep } from "../operations.ts";

interface Guest {
  complete(id: number): void;
  noop(count: number, size: number): void;
  pummel(count: number, size: number): void;
  latency(count: number, size: number): void;
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
      guest.complete(id);
    },
    async sleep(id: number) {
      await sleep();
      guest.complete(id);
    },
    finish: (completed: number) => finish(completed >>> 0),
  },
}).exports as unknown as Guest;

const run =
  (name: "noop" | "pummel" | "latency"): Run =>
  (count, size) =>
    new Promise((resolve, reject) => {
      finish = (completed) =>
        completed === count ? resolve() : reject(new Error(`${completed} operations have completed, not ${count}`));
      guest[name](count, size);
    });

export const peer: Peer = {
  noop: run("noop"),
  chain: (count) => run("pummel")(count, 1),
  pummel: run("pummel"),
  latency: run("latency"),
};
