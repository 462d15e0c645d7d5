// Records: completions as the host writes them, and submissions as it finds them.

import {
  ACCEPT_HEADERS,
  COMPLETION_AUXILIARY,
  COMPLETION_FLAGS,
  COMPLETION_PAYLOAD,
  COMPLETION_PAYLOAD_BYTES,
  COMPLETION_RESOURCE,
  COMPLETION_STATUS,
  COMPLETION_TOKEN_GENERATION,
  COMPLETION_TOKEN_SLOT,
  DETACHED,
  EventKind,
  MORE,
  Opcode,
  RECLAIM,
  SUBMISSION_ARGUMENT_0,
  SUBMISSION_ARGUMENT_1,
  SUBMISSION_BYTES,
  SUBMISSION_DATA,
  SUBMISSION_DATA_BYTES,
  SUBMISSION_DEADLINE_MS,
  SUBMISSION_OPCODE,
  SUBMISSION_RESOURCE,
  SUBMISSION_TOKEN_GENERATION,
  SUBMISSION_TOKEN_SLOT,
  Status,
} from "../../assembly/abi.ts";
import type { Machine } from "./machine.ts";
import type { Completion, Token } from "./state.ts";

/** What a parked operation and the one that crosses at once ask for; see test/guest/explorer/driven.ts. */
const PARKED = { ms: 7, deadline: 9 };
const AT_ONCE_BYTES = 2048;
/** What no version has listed. */
const UNKNOWN_STATUS: Status = 12_345 as number;

/** A completion; that of a group has an auxiliary value of its own. */
type Written = Completion & { auxiliary?: number };

/**
 * Writes a completion. The library passes payload and auxiliary value on and looks at neither: both are the slot, where
 * nobody says otherwise.
 */
export function writeCompletion(
  words: Int32Array,
  at: number,
  { slot, generation, status, flags, resource, auxiliary = slot }: Written,
  [payload, payloadBytes] = [8, slot],
): void {
  words[(at + COMPLETION_TOKEN_SLOT) >>> 2] = slot;
  words[(at + COMPLETION_TOKEN_GENERATION) >>> 2] = generation;
  words[(at + COMPLETION_STATUS) >>> 2] = status;
  words[(at + COMPLETION_FLAGS) >>> 2] = flags;
  words[(at + COMPLETION_RESOURCE) >>> 2] = resource;
  words[(at + COMPLETION_PAYLOAD) >>> 2] = payload;
  words[(at + COMPLETION_PAYLOAD_BYTES) >>> 2] = payloadBytes;
  words[(at + COMPLETION_AUXILIARY) >>> 2] = auxiliary;
}

/** Completions for tokens that are not live: of earlier and later users of each slot, of free slots, of no slot. */
export function forgeries(machine: Machine): Completion[] {
  const tokens: [slot: number, generation: number][] = [
    [0, 0],
    [0, 1],
    [machine.lastSlot + 1, 1],
    [-1, -1],
  ];
  for (let slot = 1; slot <= machine.lastSlot; slot++) {
    const generation = machine.generationOf(slot);
    tokens.push([slot, 0], [slot, generation - 1], [slot, generation + 1], [slot, -1]);
    if (machine.stateOf(slot) === 0) tokens.push([slot, generation]);
  }
  const flags = [0, MORE, RECLAIM, -1];
  return tokens.map(([slot, generation], index) => {
    const status = index % 2 ? Status.Ok : UNKNOWN_STATUS;
    return { slot, generation, status, flags: flags[index % 4]!, resource: 0 };
  });
}

/** What came comes again: all but the accept's events, whose copies would be other events. */
export function duplicates(completions: readonly Completion[]): Completion[] {
  const final = completions.filter(({ flags }) => !(flags & MORE));
  return final.map(({ slot, generation, status, flags }) => ({ slot, generation, status, flags, resource: 0 }));
}

/** One submission, where the guest has it. */
export class Submission implements Token {
  readonly #words: Int32Array;
  readonly #at: number;

  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  #word(offset: number): number {
    return this.#words[(this.#at + offset) >>> 2]!;
  }

  get slot(): number {
    return this.#word(SUBMISSION_TOKEN_SLOT);
  }

  get generation(): number {
    return this.#word(SUBMISSION_TOKEN_GENERATION);
  }

  get opcode(): Opcode {
    return this.#word(SUBMISSION_OPCODE) & 0xffff;
  }

  get resource(): number {
    return this.#word(SUBMISSION_RESOURCE);
  }

  /** Whom a Cancel names. */
  get victim(): Token {
    return { slot: this.#word(SUBMISSION_ARGUMENT_0), generation: this.#word(SUBMISSION_ARGUMENT_1) };
  }

  /** Whether it says what was asked for, and nothing else. */
  isAsFor(resource: number, victim: Token): boolean {
    const expected = new Int32Array(SUBMISSION_BYTES / 4);
    const put = (offset: number, value: number): void => void (expected[offset >>> 2] = value);
    const { opcode } = this;
    put(SUBMISSION_TOKEN_SLOT, this.slot);
    put(SUBMISSION_TOKEN_GENERATION, this.generation);
    put(SUBMISSION_OPCODE, opcode | (flagsOf(opcode) << 16));
    if (opcode === Opcode.Close) put(SUBMISSION_RESOURCE, resource);
    if (opcode === Opcode.Cancel) put(SUBMISSION_ARGUMENT_0, victim.slot);
    if (opcode === Opcode.Cancel) put(SUBMISSION_ARGUMENT_1, victim.generation);
    if (opcode === Opcode.Accept) put(SUBMISSION_ARGUMENT_0, EventKind.Fetch);
    if (opcode === Opcode.Timer) put(SUBMISSION_ARGUMENT_0, PARKED.ms);
    if (opcode === Opcode.Timer) put(SUBMISSION_DEADLINE_MS, PARKED.deadline);
    if (opcode === Opcode.Noop) put(SUBMISSION_DATA_BYTES, AT_ONCE_BYTES);
    if (opcode === Opcode.Noop) put(SUBMISSION_DATA, this.#word(SUBMISSION_DATA));
    return expected.every((value, index) => value === this.#word(index * 4));
  }
}

function flagsOf(opcode: Opcode): number {
  if (opcode === Opcode.Accept) return ACCEPT_HEADERS;
  return opcode === Opcode.Cancel || opcode === Opcode.Close ? DETACHED : 0;
}
