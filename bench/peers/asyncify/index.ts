// Asyncify: the guest unwinds its stack into memory when it has to wait, and rewinds it later. An instance can do that for
// one call at a time, so as many instances are needed as operations are to be in flight.

import module from "../../../build/bench/peers/asyncify.asyncified.wasm";
import type { Peer } from "../../peer.ts";
import { heldReads } from "../../store.ts";
import { nothing, sleep } from "../operations.ts";
import { counted, inBatches, inFlight } from "../straight-line.ts";

type Work = "chain" | "latency" | "reads";

interface Exports extends Record<Work, (count: number) => number> {
  memory: WebAssembly.Memory;
  area: WebAssembly.Global;
  result: WebAssembly.Global;
  asyncify_get_state(): number;
  asyncify_start_unwind(area: number): void;
  asyncify_stop_unwind(): void;
  asyncify_start_rewind(area: number): void;
  asyncify_stop_rewind(): void;
}

const UNWINDING = 1;
const REWINDING = 2;

/** Two pointers before the stack, as Asyncify wants it. */
const HEAD_BYTES = 8;
const AREA_BYTES = 1024;

class Guest {
  readonly #exports: Exports;
  readonly #area: number;
  #waitsFor: Promise<number | void> = Promise.resolve();
  #returned: number | void = undefined;

  constructor() {
    const guest = {
      nothing: this.#suspending(nothing),
      sleep: this.#suspending(sleep),
      read: this.#suspending(() => this.#read()),
    };
    this.#exports = new WebAssembly.Instance(module, { guest }).exports as unknown as Exports;
    this.#area = this.#exports.area.value as number;
    const pointers = new Uint32Array(this.#exports.memory.buffer, this.#area, 2);
    pointers.set([this.#area + HEAD_BYTES, this.#area + AREA_BYTES]);
  }

  async call(work: Work, count: number): Promise<number> {
    const exports = this.#exports;
    let completed = exports[work](count);
    while (exports.asyncify_get_state() === UNWINDING) {
      exports.asyncify_stop_unwind();
      this.#returned = await this.#waitsFor;
      exports.asyncify_start_rewind(this.#area);
      completed = exports[work](count);
    }
    return completed >>> 0;
  }

  /** Called twice for each operation: to leave the stack, and at the end of coming back to it. */
  #suspending(operation: () => Promise<number | void>): () => number | void {
    return () => {
      if (this.#exports.asyncify_get_state() === REWINDING) {
        this.#exports.asyncify_stop_rewind();
        return this.#returned;
      }
      this.#waitsFor = operation();
      this.#exports.asyncify_start_unwind(this.#area);
    };
  }

  async #read(): Promise<number> {
    const value = new Uint8Array(await heldReads.get());
    new Uint8Array(this.#exports.memory.buffer, this.#exports.result.value as number, 1024).set(value);
    return value.length;
  }
}

const guests: Guest[] = [];
const guestOf = (lane: number): Guest => (guests[lane] ??= new Guest());
const chain = (count: number, lane: number): Promise<number> => guestOf(lane).call("chain", count);

export const peer: Peer = {
  noop: (count, batch) => inBatches(count, batch, chain),
  chain: (count) => counted(count, [chain(count, 0)]),
  pummel: (count, size) => inFlight(count, size, chain),
  fiber: (count) => counted(count, [chain(count, 0)]),
  latency: (count) => counted(count, [guestOf(0).call("latency", count)]),
  "million-in-flight"(count, size) {
    heldReads.expect(size);
    return inBatches(count, size, (part, lane) => guestOf(lane).call("reads", part));
  },
};
