// Submission: one 64-byte record, read and checked inside `submit`.

import {
  DETACHED,
  OPCODE_COUNT,
  SLOT_COUNT_MAX,
  SUBMISSION_ARGUMENT_0,
  SUBMISSION_ARGUMENT_1,
  SUBMISSION_ARGUMENT_2,
  SUBMISSION_BYTES,
  SUBMISSION_DATA,
  SUBMISSION_DATA_BYTES,
  SUBMISSION_DEADLINE_MS,
  SUBMISSION_META,
  SUBMISSION_META_BYTES,
  SUBMISSION_NAME,
  SUBMISSION_NAME_BYTES,
  SUBMISSION_OPCODE,
  SUBMISSION_RESERVED,
  SUBMISSION_RESOURCE,
  SUBMISSION_TOKEN_GENERATION,
  SUBMISSION_TOKEN_SLOT,
  Status,
  TIMER_MS_MAX,
} from "../assembly/abi.ts";
import { Failure } from "./failure.ts";
import type { Memory } from "./memory.ts";
import { decodePairs } from "./pairs.ts";
import type { Pair } from "./pairs.ts";
import { responseHead } from "./response-head.ts";
import { slab } from "./slab.ts";

/** A view that is moved from record to record, so that reading a batch allocates nothing. */
export class Submission {
  readonly #memory: Memory;
  #words: Uint32Array = new Uint32Array(0);
  /** The record's first word. */
  #first = 0;
  // What each submission is asked for, some of it several times.
  slot = 0;
  generation = 0;
  opcode = 0;
  flags = 0;
  /** Bytes that the host must copy to perform this. */
  argumentBytes = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Moves to the record at `index` of the batch at `at`, which `submit` has found inside the memory and aligned. */
  moveTo(at: number, index: number): void {
    // As Memory does: to ask it for each record costs a call.
    if (this.#words.length === 0) this.#words = this.#memory.words;
    const words = this.#words;
    const first = (at + index * SUBMISSION_BYTES) >>> 2;
    const opcodeAndFlags = words[first + (SUBMISSION_OPCODE >> 2)]!;
    this.#first = first;
    this.slot = words[first + (SUBMISSION_TOKEN_SLOT >> 2)]!;
    this.generation = words[first + (SUBMISSION_TOKEN_GENERATION >> 2)]!;
    this.opcode = opcodeAndFlags & 0xffff;
    this.flags = opcodeAndFlags >>> 16;
    this.argumentBytes =
      words[first + (SUBMISSION_NAME_BYTES >> 2)]! +
      words[first + (SUBMISSION_DATA_BYTES >> 2)]! +
      words[first + (SUBMISSION_META_BYTES >> 2)]!;
  }

  #word(offset: number): number {
    return this.#words[this.#first + (offset >> 2)]!;
  }

  get detached(): boolean {
    return (this.flags & DETACHED) !== 0;
  }

  get resource(): number {
    return this.#word(SUBMISSION_RESOURCE);
  }

  get deadlineMs(): number {
    return this.#word(SUBMISSION_DEADLINE_MS);
  }

  get argument0(): number {
    return this.#word(SUBMISSION_ARGUMENT_0);
  }

  get argument1(): number {
    return this.#word(SUBMISSION_ARGUMENT_1);
  }

  get argument2(): number {
    return this.#word(SUBMISSION_ARGUMENT_2);
  }

  get nameBytes(): number {
    return this.#word(SUBMISSION_NAME_BYTES);
  }

  get dataBytes(): number {
    return this.#word(SUBMISSION_DATA_BYTES);
  }

  get metaBytes(): number {
    return this.#word(SUBMISSION_META_BYTES);
  }

  /** Throws what is wrong with the record itself, whatever its operation. */
  check(flagsAllowed: number): void {
    if (this.opcode >= OPCODE_COUNT) throw new Failure(Status.NotSupported, `opcode ${this.opcode} is unknown`);
    if (this.slot >= SLOT_COUNT_MAX) throw new Failure(Status.Invalid, `slot ${this.slot} is over the limit`);
    if (this.#word(SUBMISSION_RESERVED) !== 0) throw new Failure(Status.Invalid, "the reserved word is not 0");
    if ((this.flags & ~flagsAllowed) !== 0) throw new Failure(Status.Invalid, "a reserved flag is set");
    if (this.deadlineMs > TIMER_MS_MAX) throw new Failure(Status.Invalid, "the deadline is over the limit");
    if (this.argumentBytes === 0) return;
    this.#checkRange("name", SUBMISSION_NAME, this.nameBytes);
    this.#checkRange("data", SUBMISSION_DATA, this.dataBytes);
    this.#checkRange("meta", SUBMISSION_META, this.metaBytes);
  }

  #checkRange(what: string, pointer: number, length: number): void {
    if (length !== 0 && !this.#memory.contains(this.#word(pointer), length))
      throw new Failure(Status.Fault, `${what} lies outside memory`);
  }

  name(): string {
    return this.#memory.text(this.#word(SUBMISSION_NAME), this.nameBytes);
  }

  #dataView(): Uint8Array<ArrayBuffer> {
    return this.#memory.view(this.#word(SUBMISSION_DATA), this.dataBytes);
  }

  /** A copy with a buffer of its own. */
  data(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#dataView());
  }

  /** The data as a body for the platform, which looks at nothing around it; null if there is none. */
  body(): Uint8Array<ArrayBuffer> | null {
    return this.dataBytes > 0 ? slab.copy(this.#dataView()) : null;
  }

  dataText(): string {
    return this.#memory.text(this.#word(SUBMISSION_DATA), this.dataBytes);
  }

  metaText(): string {
    return this.#memory.text(this.#word(SUBMISSION_META), this.metaBytes);
  }

  metaPairs(): Pair[] {
    return decodePairs(this.#memory.bytes, this.#word(SUBMISSION_META), this.metaBytes);
  }

  /** The same as headers of a response to come, with its status. */
  responseHead(status: number): ResponseInit {
    return responseHead(status, this.#memory.bytes, this.#word(SUBMISSION_META), this.metaBytes);
  }
}
