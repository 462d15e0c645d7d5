// Futures in Rust over the promises of the host: what a Worker written in Rust is made of.

import { chain, initSync, latency, noop, pummel, reads } from "../../../build/bench/peers/wasm-bindgen/guest.js";
import module from "../../../build/bench/peers/wasm-bindgen/guest_bg.wasm";
import type { Peer, Run } from "../../peer.ts";
import { heldReads } from "../../store.ts";
import { nothing, sleep } from "../operations.ts";

// What a guest of wasm-bindgen imports are globals, as fetch is one.
Object.assign(globalThis, { operations: { nothing, sleep, read: () => heldReads.get() } });
initSync({ module });

const counted =
  (run: (count: number, size: number) => Promise<number>): Run =>
  async (count, size) => {
    const completed = await run(count, size);
    if (completed !== count) throw new Error(`${completed} operations have completed, not ${count}`);
  };

export const peer: Peer = {
  noop: counted(noop),
  chain: counted(chain),
  pummel: counted(pummel),
  fiber: counted(chain),
  latency: counted(latency),
  "million-in-flight": counted((count, size) => {
    heldReads.expect(size);
    return reads(count, size);
  }),
};
