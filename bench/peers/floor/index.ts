// The floor: what engine and machine ask for whatever is built upon them. Nobody can be faster, and nothing here does any
// work.

import empty from "../../../build/bench/empty.wasm";
import floor from "../../../build/bench/floor.wasm";
import { payload } from "../../payload.ts";
import type { Peer } from "../../peer.ts";
import { promptRead } from "../../store.ts";
import { timeoutsOf } from "../promises/clock.ts";

interface Border {
  call(): void;
  turn(): void;
}

let crossings = 0;
const cross = (): void => void crossings++;
const imports = { floor: { poll: cross, submit: cross }, proactor_v1: { abort: () => {} } };
const { call, turn } = new WebAssembly.Instance(floor, imports).exports as unknown as Border;

const PAGE_BYTES = 65_536;
let memory = new WebAssembly.Memory({ initial: 1 });

/** Memory that has room for so many bytes. */
function room(size: number): Uint8Array {
  if (memory.buffer.byteLength < size) memory = new WebAssembly.Memory({ initial: Math.ceil(size / PAGE_BYTES) });
  return new Uint8Array(memory.buffer, 0, size);
}

/** A crossing that the engine has left out would be a floor of another house. */
function expectCrossings(count: number, work: () => void): void {
  const before = crossings;
  work();
  if (crossings - before !== count) throw new Error(`${crossings - before} crossings, not ${count}`);
}

export const peer: Peer = {
  /** A batch is one microtask and one turn. What its operations need besides is left out. */
  async noop(count, batch) {
    for (let done = 0; done < count; done += batch) {
      await undefined;
      turn();
    }
  },

  "border-call": (count) => {
    expectCrossings(count, () => {
      for (let done = 0; done < count; done++) call();
    });
  },

  async reaction(count) {
    for (let done = 0; done < count; done++) await undefined;
  },

  instance: (count) => {
    for (let made = 0; made < count; made++) void new WebAssembly.Instance(empty, imports);
  },

  /** The reads alone: no time-out guards them, and what would never be answered fails at once. */
  "timeout-each": timeoutsOf((key) => (key === "never" ? Promise.reject(new Error("never")) : promptRead(key))),

  /** What comes later takes a reaction, what lies elsewhere one copy, into memory that is there. */
  "copy-in": (count, size) => copy(count, new Uint8Array(payload(size)), room(size)),

  "copy-out"(count, size) {
    const from = room(size);
    from.set(new Uint8Array(payload(size)));
    return copy(count, from, new Uint8Array(size));
  },
};

async function copy(count: number, from: Uint8Array, to: Uint8Array): Promise<void> {
  for (let done = 0; done < count; done++) {
    await undefined;
    to.set(from);
  }
  if (to.at(-1) !== from.at(-1)) throw new Error("nothing was copied");
}
