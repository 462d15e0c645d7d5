// Submission: one 64-byte record, read and checked inside `submit`.

import {
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
import { slab } from "./slab.ts";

/** A view that is moved from record to record, so that reading a batch allocates nothing. */
export class Submission {
  readonly #memory: Memory;
  slot = 0;
  generation = 0;
  opcode = 0;
  flags = 0;
  resource = 0;
  deadlineMs = 0;
  argument0 = 0;
  argument1 = 0;
  argument2 = 0;
  #name = 0;
  nameBytes = 0;
  #data = 0;
  dataBytes = 0;
  #meta = 0;
  metaBytes = 0;
  #reserved = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Moves to the record at `index` of the batch at `at`, which `submit` has found inside the memory and aligned. */
  moveTo(at: number, index: number): void {
    const words = this.#memory.words;
    const first = (at + index * SUBMISSION_BYTES) >>> 2;
    const opcodeAndFlags = words[first + (SUBMISSION_OPCODE >> 2)]!;
    this.slot = words[first + (SUBMISSION_TOKEN_SLOT >> 2)]!;
    this.generation = words[first + (SUBMISSION_TOKEN_GENERATION >> 2)]!;
    this.opcode = opcodeAndFlags & 0xffff;
    this.flags = opcodeAndFlags >>> 16;
    this.resource = words[first + (SUBMISSION_RESOURCE >> 2)]!;
    this.deadlineMs = words[first + (SUBMISSION_DEADLINE_MS >> 2)]!;
    this.#name = words[first + (SUBMISSION_NAME >> 2)]!;
    this.nameBytes = words[first + (SUBMISSION_NAME_BYTES >> 2)]!;
    this.#data = words[first + (SUBMISSION_DATA >> 2)]!;
    this.dataBytes = words[first + (SUBMISSION_DATA_BYTES >> 2)]!;
    this.#meta = words[first + (SUBMISSION_META >> 2)]!;
    this.metaBytes = words[first + (SUBMISSION_META_BYTES >> 2)]!;
    this.argument0 = words[first + (SUBMISSION_ARGUMENT_0 >> 2)]!;
    this.argument1 = words[first + (SUBMISSION_ARGUMENT_1 >> 2)]!;
    this.argument2 = words[first + (SUBMISSION_ARGUMENT_2 >> 2)]!;
    this.#reserved = words[first + (SUBMISSION_RESERVED >> 2)]!;
  }

  /** Throws what is wrong with the record itself, whatever its operation. */
  check(flagsAllowed: number): void {
    if (this.opcode >= OPCODE_COUNT) throw new Failure(Status.NotSupported, `opcode ${this.opcode} is unknown`);
    if (this.slot >= SLOT_COUNT_MAX) throw new Failure(Status.Invalid, `slot ${this.slot} is over the limit`);
    if (this.#reserved !== 0) throw new Failure(Status.Invalid, "the reserved word is not 0");
    if ((this.flags & ~flagsAllowed) !== 0) throw new Failure(Status.Invalid, "a reserved flag is set");
    if (this.deadlineMs > TIMER_MS_MAX) throw new Failure(Status.Invalid, "the deadline is over the limit");
    this.#checkRange("name", this.#name, this.nameBytes);
    this.#checkRange("data", this.#data, this.dataBytes);
    this.#checkRange("meta", this.#meta, this.metaBytes);
  }

  #checkRange(what: string, at: number, length: number): void {
    if (length !== 0 && !this.#memory.contains(at, length))
      throw new Failure(Status.Fault, `${what} lies outside memory`);
  }

  /** Bytes that the host must copy to perform this. */
  get argumentBytes(): number {
    return this.nameBytes + this.dataBytes + this.metaBytes;
  }

  name(): string {
    return this.#memory.text(this.#name, this.nameBytes);
  }

  data(): Uint8Array<ArrayBuffer> {
    return this.#memory.copy(this.#data, this.dataBytes);
  }

  /** The data as a body for the platform, which looks at nothing around it; null if there is none. */
  body(): Uint8Array<ArrayBuffer> | null {
    return this.dataBytes > 0 ? slab.copy(this.#memory.view(this.#data, this.dataBytes)) : null;
  }

  dataText(): string {
    return this.#memory.text(this.#data, this.dataBytes);
  }

  metaText(): string {
    return this.#memory.text(this.#meta, this.metaBytes);
  }

  metaPairs(): Pair[] {
    return decodePairs(this.#memory.bytes, this.#meta >>> 0, this.metaBytes);
  }
}
