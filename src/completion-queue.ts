// Completion queue: writes what `poll` asks for, and remembers it until the next `poll`.
//
// The queue itself is the array in the guest's memory. Here is kept what its records stand for, so that after a trap
// the one whose handler was running has a name.

import type { Opcode } from "../assembly/abi.ts";
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
  PAYLOAD_ALIGNMENT,
  Status,
} from "../assembly/abi.ts";
import type { Memory } from "./memory.ts";
import type { Completion, Named } from "./operation.ts";

export class CompletionQueue {
  readonly #memory: Memory;
  /** Of each completion slot, generation and opcode, and not itself: a payload need not stay until the next batch. */
  readonly #batch: number[] = [];
  length = 0;
  /** The last of a batch, once that is whole. */
  last: Completion | undefined;
  #words: Uint32Array = new Uint32Array(0);
  #at = 0;
  #arena = 0;
  #arenaEnd = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Begins a batch at `at`, with payloads in an arena; both lie inside the memory. */
  begin(at: number, arena: number, arenaBytes: number): void {
    this.length = 0;
    this.last = undefined;
    this.#at = at >>> 0;
    this.#arena = arena >>> 0;
    this.#arenaEnd = this.#arena + (arenaBytes >>> 0);
  }

  /** Whether the completion's payload fits into what is left of the arena. */
  hasRoomFor({ payload }: Completion): boolean {
    return !payload || payload.length === 0 || this.#payloadAt() + payload.length <= this.#arenaEnd;
  }

  #payloadAt(): number {
    return Math.ceil(this.#arena / PAYLOAD_ALIGNMENT) * PAYLOAD_ALIGNMENT;
  }

  /** Writes one completion, for which there is room. */
  push(completion: Completion): void {
    const { slot, generation, opcode, payload } = completion;
    // As Memory does: to ask it for each record costs a call.
    if (this.#words.length === 0) this.#words = this.#memory.words;
    const words = this.#words;
    const record = this.#recordAt(this.length);
    words[record + (COMPLETION_TOKEN_SLOT >> 2)] = slot;
    words[record + (COMPLETION_TOKEN_GENERATION >> 2)] = generation;
    words[record + (COMPLETION_STATUS >> 2)] = completion.status;
    words[record + (COMPLETION_FLAGS >> 2)] = completion.flags;
    words[record + (COMPLETION_RESOURCE >> 2)] = completion.resource;
    words[record + (COMPLETION_AUXILIARY >> 2)] = completion.auxiliary;
    const payloadBytes = payload ? payload.length : 0;
    words[record + (COMPLETION_PAYLOAD_BYTES >> 2)] = payloadBytes;
    words[record + (COMPLETION_PAYLOAD >> 2)] = payloadBytes > 0 ? this.#write(payload!) : 0;
    // What is old and garbage would keep its payload alive. Why something failed may still be asked.
    if (completion.status >= 0) completion.payload = null;
    const place = this.length++ * 3;
    this.#batch[place] = slot;
    this.#batch[place + 1] = generation;
    this.#batch[place + 2] = opcode;
  }

  /** Writes a payload into the arena and returns where it lies. */
  #write(payload: Uint8Array): number {
    const at = this.#payloadAt();
    this.#memory.bytes.set(payload, at);
    this.#arena = at + payload.length;
    return at;
  }

  /** Tells in the first record how large an arena would hold this payload, wherever the arena begins. */
  demand(payloadBytes: number): Status {
    this.#memory.words[this.#recordAt(0) + (COMPLETION_PAYLOAD_BYTES >> 2)] = payloadBytes + PAYLOAD_ALIGNMENT;
    return Status.TooBig;
  }

  /** The completion whose handler was called last. The guest marks a record before it calls the record's handler. */
  running(): Named | undefined {
    // Once all are dispatched, the guest uses the first record to tell handlers that their submission was refused. The
    // slot may be the same, for a handler's slot is free when it submits anew.
    if (this.length === 0 || !this.#isOurs(0)) return undefined;
    for (let index = this.length - 1; index >= 0; index--) if (this.#isDispatched(index)) return this.#named(index);
    return undefined;
  }

  #named(index: number): Named {
    const [slot, generation, opcode] = this.#batch.slice(index * 3) as [number, number, Opcode];
    return { slot, generation, opcode };
  }

  #isOurs(index: number): boolean {
    const words = this.#memory.words;
    const record = this.#recordAt(index);
    const { slot, generation } = this.#named(index);
    return (
      words[record + (COMPLETION_TOKEN_SLOT >> 2)] === slot &&
      words[record + (COMPLETION_TOKEN_GENERATION >> 2)] === generation
    );
  }

  #isDispatched(index: number): boolean {
    return (this.#memory.words[this.#recordAt(index) + (COMPLETION_FLAGS >> 2)]! & DISPATCHED) !== 0;
  }

  /** The place of a record, in words. */
  #recordAt(index: number): number {
    return (this.#at + index * COMPLETION_BYTES) >>> 2;
  }
}
