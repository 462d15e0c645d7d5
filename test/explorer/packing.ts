// Packing: the host's state as a few numbers, which are equal if and only if the states are.
//
// 16 bits for each entry and each completion that waits, behind 16 that say how many entries there are.
//
// ╒═══════════ Entry ═══════════╕  ╒════════════ Completion ════════════╕
//   0  slot       4  identity        0  slot         4  context
//   8  context   10  queued          6  −status     10  flags
//  11  cancelled 12  reclaimed      12  stale       13  has a resource   14  always 1

import { MORE } from "../../assembly/abi.ts";
import type { Machine } from "./machine.ts";
import { Stage, exchangeOf, handleOf } from "./state.ts";
import type { State } from "./state.ts";

const HALVES = 24;
/** Words of a packed state. */
export const PACKED_WORDS = HALVES / 2;

export function pack(state: State, machine: Machine, words: Int32Array, at: number): void {
  words.fill(0, at, at + PACKED_WORDS);
  let half = 0;
  const put = (value: number): void => {
    if (half === HALVES) throw new Error("HALVES is too small for this state");
    words[at + (half >> 1)]! |= value << ((half++ & 1) * 16);
  };
  put(Number(state.trapped) | (Number(state.warned) << 1) | (state.entries.length << 2));
  // By their slots: in which order they were submitted does not matter any more.
  state.entries.sort((left, right) => left.slot - right.slot);
  for (const { slot, identity, context, stage, cancelled, reclaimed } of state.entries) {
    const bits = Number(stage === Stage.Queued) | (Number(cancelled) << 1) | (Number(reclaimed) << 2);
    put(slot | (identity << 4) | (context << 8) | (bits << 10));
  }
  state.queues.forEach((queue, context) => {
    for (const { slot, generation, status, flags, resource } of queue) {
      const isStale = generation !== machine.generationOf(slot);
      const bits = Number(isStale) | (Number(resource !== 0) << 1) | 4;
      put(slot | (context << 4) | (-status << 6) | (flags << 10) | (bits << 12));
    }
  });
}

/** The machine must have been restored: live tokens have the generation of their slot. */
export function unpack(state: State, machine: Machine, words: Int32Array, at: number): void {
  let half = 0;
  const get = (): number => {
    return half === HALVES ? 0 : (words[at + (half >> 1)]! >>> ((half++ & 1) * 16)) & 0xffff;
  };
  const head = get();
  state.trapped = (head & 1) !== 0;
  state.warned = (head & 2) !== 0;
  state.entries.length = head >>> 2;
  for (let index = 0; index < state.entries.length; index++) {
    const packed = get();
    const slot = packed & 15;
    state.entries[index] = {
      slot,
      generation: machine.generationOf(slot),
      identity: (packed >>> 4) & 15,
      context: (packed >>> 8) & 3,
      stage: packed & (1 << 10) ? Stage.Queued : Stage.Admitted,
      cancelled: (packed & (1 << 11)) !== 0,
      reclaimed: (packed & (1 << 12)) !== 0,
    };
  }
  for (const queue of state.queues) queue.length = 0;
  for (let packed = get(); packed !== 0; packed = get()) {
    const [slot, context] = [packed & 15, (packed >>> 4) & 3];
    const flags = (packed >>> 10) & 3;
    const [isStale, hasResource] = [(packed >>> 12) & 1, packed & (1 << 13)];
    const resource = flags & MORE ? exchangeOf(context) : handleOf(slot);
    state.queues[context]!.push({
      slot,
      generation: machine.generationOf(slot) - isStale,
      status: -((packed >>> 6) & 15),
      flags,
      resource: hasResource ? resource : 0,
    });
  }
}
