// Completion queue: writes what `poll` asks for, and remembers it until the next `poll`.
//
// The queue itself is the array in the guest's memory. Here is kept what its records stand for, so that after a trap
// the one whose handler was running has a name.

import {
  COMPLETION_AUXILIARY,
  COMPLETION_BYTES,
  COMPLETION_FLAGS,
  COMPLETION_PAYLOAD,
  COMPLETION_PAYLOAD_BYTES,
  COMPLETION_RESOURCE,
  COMPLETION_STATUS,
  COMPLETION_TOKEN_GENERATION,
  COMPLETION_TOKEN_SLOT,
  DISPATCHED,
  MORE,
  PAYLOAD_ALIGNMENT,
  RECLAIM,
  Status,
} from "../assembly/abi.ts";
import { NAME_LENGTH, nameAt } from "./completion-ring.ts";
import type { CompletionRing } from "./completion-ring.ts";
import type { Completion, Named } from "./completion.ts";
import type { Memory } from "./memory.ts";

export class CompletionQueue {
  readonly #memory: Memory;
  /** Slot, generation and opcode of each, and not its completion: a payload need not stay until the next batch. */
  readonly #names: number[] = [];
  length = 0;
  // How many of them others will follow, and how many only give a slot back.
  more = 0;
  reclaimed = 0;
  /** How the last one failed, if it did. */
  failure: Completion | undefined;
  #at = 0;
  #arena = 0;
  #arenaEnd = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Begins a batch at `at`, with payloads in an arena; both lie inside the memory. */
  begin(at: number, arena: number, arenaBytes: number): void {
    this.length = this.more = this.reclaimed = 0;
    this.failure = undefined;
    this.#at = at >>> 0;
    this.#arena = arena >>> 0;
    this.#arenaEnd = this.#arena + (arenaBytes >>> 0);
  }

  /** Where in the arena the next payload would lie. */
  #payloadAt(): number {
    return Math.ceil(this.#arena / PAYLOAD_ALIGNMENT) * PAYLOAD_ALIGNMENT;
  }

  /** Takes completions out of a ring, until the batch has `records` or there is no room for a payload. */
  take(ring: CompletionRing, records: number): void {
    while (ring.length > 0 && this.length < records) {
      const completion = ring.first;
      const { payload } = completion;
      if (payload?.length && this.#payloadAt() + payload.length > this.#arenaEnd) return;
      // Most have nothing to say, and a run of them is written without a look at each.
      this.#write(completion, ring.shift(records - this.length, this.#names, this.length));
    }
  }

  /** Writes one completion for the next `count` names. */
  #write(completion: Completion, count: number): void {
    const { status, flags, resource, auxiliary, payload } = completion;
    const words = this.#memory.words;
    const names = this.#names;
    const payloadBytes = payload ? payload.length : 0;
    let payloadAt = 0;
    if (payload && payloadBytes > 0) {
      payloadAt = this.#payloadAt();
      this.#memory.bytes.set(payload, payloadAt);
      this.#arena = payloadAt + payloadBytes;
    }
    for (const end = this.length + count; this.length < end; this.length++) {
      const record = this.#recordAt(this.length);
      const name = this.length * NAME_LENGTH;
      words[record + (COMPLETION_TOKEN_SLOT >> 2)] = names[name]!;
      words[record + (COMPLETION_TOKEN_GENERATION >> 2)] = names[name + 1]!;
      words[record + (COMPLETION_STATUS >> 2)] = status;
      words[record + (COMPLETION_FLAGS >> 2)] = flags;
      words[record + (COMPLETION_RESOURCE >> 2)] = resource;
      words[record + (COMPLETION_PAYLOAD >> 2)] = payloadAt;
      words[record + (COMPLETION_PAYLOAD_BYTES >> 2)] = payloadBytes;
      words[record + (COMPLETION_AUXILIARY >> 2)] = auxiliary;
    }
    this.failure = status < 0 ? completion : undefined;
    if (flags & MORE) this.more += count;
    if (flags & RECLAIM) this.reclaimed += count;
  }

  /** Tells in the first record how large an arena would hold this payload, wherever the arena begins. */
  demand(payloadBytes: number): Status {
    this.#memory.words[this.#recordAt(0) + (COMPLETION_PAYLOAD_BYTES >> 2)] = payloadBytes + PAYLOAD_ALIGNMENT;
    return Status.TooBig;
  }

  /** The last of the batch. */
  get last(): Named | undefined {
    return this.length > 0 ? nameAt(this.#names, this.length - 1) : undefined;
  }

  /** The completion whose handler was called last. The guest marks a record before it calls the record's handler. */
  running(): Named | undefined {
    const { words } = this.#memory;
    const [slot, generation] = this.#names;
    const first = this.#recordAt(0);
    // Once all are dispatched, the guest uses the first record to tell handlers that their submission was refused. The
    // slot may be the same, for a handler's slot is free when it submits anew.
    if (words[first + (COMPLETION_TOKEN_SLOT >> 2)] !== slot) return undefined;
    if (words[first + (COMPLETION_TOKEN_GENERATION >> 2)] !== generation) return undefined;
    for (let index = this.length - 1; index >= 0; index--)
      if (words[this.#recordAt(index) + (COMPLETION_FLAGS >> 2)]! & DISPATCHED) return nameAt(this.#names, index);
    return undefined;
  }

  /** The place of a record, in words. */
  #recordAt(index: number): number {
    return (this.#at + index * COMPLETION_BYTES) >>> 2;
  }
}
