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
  PAYLOAD_ALIGNMENT,
  Status,
} from "../assembly/abi.ts";
import { Fifo } from "./fifo.ts";
import type { Memory } from "./memory.ts";
import type { Completion } from "./operation.ts";

export class CompletionQueue {
  readonly #memory: Memory;
  readonly #batch = new Fifo<Completion>();
  #at = 0;
  #arena = 0;
  #arenaEnd = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Begins a batch at `at`, with payloads in an arena; both lie inside the memory. */
  begin(at: number, arena: number, arenaBytes: number): void {
    this.#batch.clear();
    this.#at = at >>> 0;
    this.#arena = arena >>> 0;
    this.#arenaEnd = this.#arena + (arenaBytes >>> 0);
  }

  get length(): number {
    return this.#batch.length;
  }

  get last(): Completion | undefined {
    return this.#batch.last;
  }

  /** Whether the completion's payload fits into what is left of the arena. */
  hasRoomFor({ payload }: Completion): boolean {
    return !payload || payload.length === 0 || this.#payloadAt + payload.length <= this.#arenaEnd;
  }

  get #payloadAt(): number {
    return Math.ceil(this.#arena / PAYLOAD_ALIGNMENT) * PAYLOAD_ALIGNMENT;
  }

  /** Writes one completion, for which there is room. */
  push(completion: Completion): void {
    const { payload } = completion;
    const payloadAt = this.#payloadAt;
    const payloadBytes = payload ? payload.length : 0;
    const words = this.#memory.words;
    const record = this.#recordAt(this.#batch.length);
    words[record + (COMPLETION_TOKEN_SLOT >> 2)] = completion.slot;
    words[record + (COMPLETION_TOKEN_GENERATION >> 2)] = completion.generation;
    words[record + (COMPLETION_STATUS >> 2)] = completion.status;
    words[record + (COMPLETION_FLAGS >> 2)] = completion.flags;
    words[record + (COMPLETION_RESOURCE >> 2)] = completion.resource;
    words[record + (COMPLETION_PAYLOAD >> 2)] = payloadBytes > 0 ? payloadAt : 0;
    words[record + (COMPLETION_PAYLOAD_BYTES >> 2)] = payloadBytes;
    words[record + (COMPLETION_AUXILIARY >> 2)] = completion.auxiliary;
    if (payloadBytes > 0) {
      this.#memory.bytes.set(payload!, payloadAt);
      this.#arena = payloadAt + payloadBytes;
    }
    this.#batch.push(completion);
  }

  /** Tells in the first record how large an arena would hold this payload, wherever the arena begins. */
  demand(payloadBytes: number): Status {
    this.#memory.words[this.#recordAt(0) + (COMPLETION_PAYLOAD_BYTES >> 2)] = payloadBytes + PAYLOAD_ALIGNMENT;
    return Status.TooBig;
  }

  /** The completion whose handler was called last. The guest marks a record before it calls the record's handler. */
  running(): Completion | undefined {
    const words = this.#memory.words;
    // Once all are dispatched, the guest uses the first record to tell handlers that their submission was refused. The
    // slot may be the same, for a handler's slot is free when it submits anew.
    const first = this.#batch.peek();
    const record = this.#recordAt(0);
    if (!first || words[record + (COMPLETION_TOKEN_SLOT >> 2)] !== first.slot) return undefined;
    if (words[record + (COMPLETION_TOKEN_GENERATION >> 2)] !== first.generation) return undefined;
    return [...this.#batch].findLast((_, index) => this.#isDispatched(index));
  }

  #isDispatched(index: number): boolean {
    return (this.#memory.words[this.#recordAt(index) + (COMPLETION_FLAGS >> 2)]! & DISPATCHED) !== 0;
  }

  /** The place of a record, in words. */
  #recordAt(index: number): number {
    return (this.#at + index * COMPLETION_BYTES) >>> 2;
  }
}
