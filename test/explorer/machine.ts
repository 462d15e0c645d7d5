// Machine: one instance of the module, whose whole state can be read, put back and compared.
//
// Most of memory never changes. The layout lists the words and globals that ever did, and a state is their values.
// After every call all the rest is compared with how it was at the start. If it differs, the layout grows, and what was
// found with the smaller one is found anew: what is not put back would be blamed on the guest.

import { COMPLETION_BYTES, COMPLETION_FLAGS, SUBMISSION_BYTES } from "../../assembly/abi.ts";
import { Violation } from "./promises.ts";
import type { Variant } from "./variant.ts";

/** What dead memory is overwritten with: no pointer, no token, no status. */
const POISON = 0xa5a5a5a5 | 0;
/** The generation of a slot that was used before; it begins with 1. */
const USED = 2;
const SLOT_WORDS = 2;
/** Of a slot's second word: its state, and above it the slot that follows in a list. */
const STATE = 0xff;
const NEXT_SHIFT = 8;
const FREE = 0;
const RECORD_WORDS = COMPLETION_BYTES / 4;
const SUBMISSION_WORDS = SUBMISSION_BYTES / 4;
/** Completions that a turn of ours has at most. */
export const RECORDS = 128;
/** What asc reserves by default, and leaves free at the front of memory. */
const STACK_BYTES = 32_768;
const UNUSED_BYTES = 1024;

/** What ever changes, in the order in which it was found: words of memory by their index, globals by ~index. */
export type Layout = number[];

/** The layout lacked something. It has it now; what was done without it must be done again. */
export class LayoutGrew extends Error {}

interface Exports {
  memory: WebAssembly.Memory;
  __instance_signal: WebAssembly.Global;
  _initialize(): void;
  run(budget: number): number;
  inFlightCount(): number;
  staleCount(): number;
  probe(slot: number, generation: number): number;
  useFreshHandlers(): void;
  collect(): void;
}

export class Machine {
  readonly exports: Exports;
  words: Int32Array;
  readonly stackBase: number;
  readonly #stackStart: number;
  readonly #stackEnd: number;
  /** Where the library has its records; the host learns it from the first calls. */
  completionsAt = 0;
  submissionsAt = 0;
  readonly #layout: Layout;
  readonly #globals: readonly WebAssembly.Global[];
  readonly #named: (name: string) => WebAssembly.Global;
  /** Index of the first word of the handler table's two arrays. No turn of ours makes them grow. */
  #slotsAt = 0;
  #handlersAt = 0;
  readonly #lastSlot: WebAssembly.Global;
  readonly #firstFree: WebAssembly.Global;
  readonly #stack: WebAssembly.Global;
  readonly #firstRefused: WebAssembly.Global;
  readonly #lastOfRefused: WebAssembly.Global;
  readonly #white: WebAssembly.Global;
  readonly #stale: WebAssembly.Global;
  readonly #unsent: WebAssembly.Global;
  readonly #count: WebAssembly.Global;
  readonly #dispatched: WebAssembly.Global;
  #initialWords = new Int32Array();
  #initialGlobals: number[] = [];

  constructor({ module, globals }: Variant, imports: WebAssembly.Imports, layout: Layout) {
    const instance = new WebAssembly.Instance(module, imports);
    this.exports = instance.exports as unknown as Exports;
    this.words = new Int32Array(this.exports.memory.buffer);
    this.#layout = layout;
    this.#named = (name) => {
      const global = instance.exports[name];
      if (global instanceof WebAssembly.Global) return global;
      throw new Error(`the module has no variable ${name}; say in machine.ts what has taken its place`);
    };
    this.#globals = globals.map(this.#named);
    this.#lastSlot = this.#named("assembly/handler-table/lastSlot");
    this.#firstFree = this.#named("assembly/handler-table/firstFree");
    this.#firstRefused = this.#named("assembly/handler-table/firstRefused");
    this.#lastOfRefused = this.#named("assembly/handler-table/lastOfRefused");
    this.#white = this.#named("~lib/rt/itcms/white");
    this.#stale = this.#named("assembly/handler-table/stale");
    this.#unsent = this.#named("assembly/submission-queue/length");
    this.#count = this.#named("assembly/proactor/count");
    this.#dispatched = this.#named("assembly/proactor/dispatched");
    this.#stack = this.#named("~lib/memory/__stack_pointer");
    this.stackBase = this.#stack.value;
    this.#stackEnd = this.stackBase >>> 2;
    this.#stackStart = (this.stackBase - STACK_BYTES) >>> 2;
  }

  get stackPointer(): number {
    return this.#stack.value;
  }

  // The state.

  /** Starts the module, whose heap may grow then, and lets its memory grow for the last time. */
  initialize(pages: number): void {
    this.exports._initialize();
    this.exports.memory.grow(pages);
    this.words = new Int32Array(this.exports.memory.buffer);
    this.#slotsAt = (this.#named("assembly/handler-table/slots").value as number) >>> 2;
    this.#handlersAt = (this.#named("assembly/handler-table/handlers").value as number) >>> 2;
  }

  /** For imports that are called while the module starts. */
  renew(): void {
    if (this.words.length === 0) this.words = new Int32Array(this.exports.memory.buffer);
  }

  /** Takes the present state as the one that others are compared with. */
  begin(): void {
    // Set by the first cancel, to save time before it; here from the beginning.
    this.#named("assembly/handler-table/hasCancels").value = 1;
    this.normalise(false, RECORDS);
    this.#initialWords = this.words.slice();
    this.#initialGlobals = this.#globals.map((global) => global.value);
  }

  save(row: Int32Array): void {
    for (let index = 0; index < row.length; index++) row[index] = this.#read(this.#layout[index]!);
  }

  restore(row: Int32Array): void {
    for (let index = 0; index < row.length; index++) this.#write(this.#layout[index]!, row[index]!);
  }

  #read(cell: number): number {
    return cell >= 0 ? this.words[cell]! : this.#globals[~cell]!.value;
  }

  #write(cell: number, value: number): void {
    if (cell >= 0) this.words[cell] = value;
    else this.#globals[~cell]!.value = value;
  }

  /** Everything in the layout as it was at the start. */
  initialRow(): Int32Array {
    const row = new Int32Array(this.#layout.length);
    this.#restart();
    this.save(row);
    return row;
  }

  /** Puts the initial state back, and throws LayoutGrew if anything outside the layout differs from it. */
  compareWithStart(): void {
    const size = this.#layout.length;
    this.#restart();
    if (!isSame(this.words, this.#initialWords)) {
      for (let index = 0; index < this.words.length; index++) {
        if (this.words[index] === this.#initialWords[index]) continue;
        if (index < UNUSED_BYTES / 4) throw new Violation("G5", `the guest writes at ${index * 4}, like through null`);
        this.#layout.push(index);
      }
    }
    for (let index = 0; index < this.#globals.length; index++) {
      if (this.#globals[index]!.value !== this.#initialGlobals[index]) this.#layout.push(~index);
    }
    if (this.#layout.length === size) return;
    this.#restart();
    throw new LayoutGrew();
  }

  /** Puts everything back as it was at the start, whatever a violation has left behind. */
  reset(): void {
    this.words.set(this.#initialWords);
    this.#globals.forEach((global, index) => (global.value = this.#initialGlobals[index]!));
  }

  #restart(): void {
    for (const cell of this.#layout) {
      this.#write(cell, cell >= 0 ? this.#initialWords[cell]! : this.#initialGlobals[~cell]!);
    }
  }

  /** Collects garbage; twice where that brings back the colour that the collector began with. */
  collect(): void {
    this.exports.collect();
    if (this.#white.value !== 0) this.exports.collect();
  }

  // The handler table, as assembly/handler-table.ts lays it out.

  get lastSlot(): number {
    return this.#lastSlot.value;
  }

  get firstFree(): number {
    return this.#firstFree.value;
  }

  generationOf(slot: number): number {
    return this.words[this.#slotAt(slot)]!;
  }

  stateOf(slot: number): number {
    return this.words[this.#slotAt(slot) + 1]! & STATE;
  }

  nextOf(slot: number): number {
    return this.words[this.#slotAt(slot) + 1]! >>> NEXT_SHIFT;
  }

  /** Address of the slot's handler, or 0. */
  handlerOf(slot: number): number {
    return this.words[this.#handlersAt + slot]!;
  }

  #slotAt(slot: number): number {
    return this.#slotsAt + slot * SLOT_WORDS;
  }

  // What two states may differ in and be the same.

  /**
   * Makes equal what makes no difference, by writing it into the machine, which must go on from there:
   *
   * - Generations only grow, and the library asks of two only which is larger. A slot that was used before gets 2, a
   *   token of it that is over 1. (That they wrap after 2³² uses is out of the explorer's reach.)
   * - The count of stale completions is for people. `count` and `dispatched` are read again only after a trap, the end
   *   of the list of refused slots only if it has a beginning, a slot's `next` only if it is in a list.
   * - Dead memory is overwritten with nonsense: the stack, since nothing of it is ours between two turns; the first
   *   `records` completions of a turn that has ended, and all submissions that were sent; after a trap, of those completions
   *   that were not dispatched and of the submissions that were not sent, all but token and flags.
   */
  normalise(trapped: boolean, records: number): void {
    const { words } = this;
    const completions = this.completionsAt >>> 2;
    const [first, end] = trapped ? [this.#dispatched.value, this.#count.value] : [0, 0];
    for (let record = 0; record < records; record++) {
      const at = completions + record * RECORD_WORDS;
      if (record < first || record >= end) {
        words.fill(POISON, at, at + RECORD_WORDS);
        continue;
      }
      const flags = words[at + COMPLETION_FLAGS / 4]!;
      this.#normaliseToken(at, RECORD_WORDS);
      words[at + COMPLETION_FLAGS / 4] = flags;
    }
    let unsent = trapped ? this.#unsent.value : 0;
    for (let at = this.submissionsAt >>> 2; words[at] !== 0; at += SUBMISSION_WORDS) {
      if (unsent-- > 0) this.#normaliseToken(at, SUBMISSION_WORDS);
      else words.fill(POISON, at, at + SUBMISSION_WORDS);
    }
    for (let slot = 1; slot <= this.lastSlot; slot++) {
      const at = this.#slotAt(slot);
      if (words[at]! > USED) words[at] = USED;
      if (!trapped && this.stateOf(slot) !== FREE) words[at + 1]! &= STATE;
    }
    this.#stale.value = 0;
    if (!trapped) this.#count.value = this.#dispatched.value = 0;
    if (this.#firstRefused.value === 0) this.#lastOfRefused.value = 0;
    for (let index = 0; index < this.#layout.length; index++) {
      const cell = this.#layout[index]!;
      if (cell >= this.#stackStart && cell < this.#stackEnd) words[cell] = POISON;
    }
  }

  /** The token at the front of a record; the rest of the record is dead. */
  #normaliseToken(at: number, recordWords: number): void {
    const { words } = this;
    const current = this.generationOf(words[at]!);
    words[at + 1] = Math.min(current, USED) - (words[at + 1] === current ? 0 : 1);
    words.fill(POISON, at + 2, at + recordWords);
  }
}

function isSame(left: Int32Array, right: Int32Array): boolean {
  const bytes = ({ buffer }: Int32Array): Uint8Array => new Uint8Array(buffer, 0, right.byteLength);
  return Buffer.compare(bytes(left), bytes(right)) === 0;
}
