// Machine: one instance of the module of groups, whose whole state can be read, put back and compared.
//
// Groups are objects on the heap, so equal states lie at different addresses when they were reached in another order. What
// is compared is therefore the graph: what can be reached from the module's variables, each object named by when it was
// met first. A word that is the address of a live object, or of a place inside one, counts as a pointer; no other number
// of ours is as large as these. Garbage is collected before, so what a state needs and nothing holds is missed at once.

import { COMPLETION_BYTES } from "../../../assembly/abi.ts";
import type { Variant } from "../variant.ts";

/** Variables that are written before they are read again, except after a trap. */
const DEAD = [
  "assembly/flight/last",
  "assembly/handler-table/lastOfRefused",
  "assembly/handler-table/member",
  "assembly/handler-table/stale",
  "assembly/proactor/count",
  "assembly/proactor/dispatched",
  "test/guest/explorer/groups/at",
  "test/guest/explorer/groups/reading",
];
/** What dead memory is overwritten with. */
const POISON = 0xa5a5a5a5 | 0;
const PIECE_BYTES = 1024;
/** What a plan needs beside the pages that the module begins with. */
const PAGES = 2;
/** What asc reserves for the stack by default. */
const STACK_BYTES = 32_768;
/** Completions that a turn of ours has at most. */
const RECORDS = 64;
// A managed object's header, in words before the object. See AssemblyScript's rt/common.
const HEADER_WORDS = 5;
const NEXT = -4;
const TYPE = -2;
const BYTES = -1;
const COLOUR = 3;
// A slot of assembly/handler-table.ts.
const SLOT_WORDS = 2;
const STATE = 0xff;
const NEXT_SHIFT = 8;
const FREE = 0;
const MEMBER = 4;
const SLOTS = 40;
/** Generations of a slot: this, 256 times its number, and one of these two for its present user and for those before. */
const GENERATIONS = 0x4000_0000;
const USED = 2;
const OVER = 1;

export interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  run(budget: number): number;
  configure(limit: number, room: number, capacity: number): void;
  collect(): void;
  inFlightCount(): number;
  runningInGate(): number;
  waitingAtGate(): number;
  valuesInChannel(): number;
}

/** A snapshot: words that differ from the start, each behind its index, and the variables. */
export interface Snapshot {
  readonly words: Int32Array;
  readonly globals: readonly (number | bigint)[];
}

export class Machine {
  readonly exports: Exports;
  words: Int32Array;
  readonly #globals: readonly WebAssembly.Global[];
  /** Those that belong to no collector and are no stack. */
  readonly #roots: readonly WebAssembly.Global[];
  readonly #dead: readonly WebAssembly.Global[];
  readonly #objects: WebAssembly.Global;
  readonly #white: WebAssembly.Global;
  readonly #stack: WebAssembly.Global;
  readonly #slots: WebAssembly.Global;
  /** Set by the first cancel, to save time before it; here from the beginning. */
  readonly #hasCancels: WebAssembly.Global;
  readonly #members: WebAssembly.Global;
  readonly #lastSlot: WebAssembly.Global;
  readonly #firstFree: WebAssembly.Global;
  readonly #stackBase: number;
  completionsAt = 0;
  arenaAt = 0;
  #heapStart = 0;
  #initial = new Int32Array();
  #bytes: Uint8Array = new Uint8Array();
  #initialBytes: Uint8Array = new Uint8Array();
  /** For each 16 bytes of memory: the object that has them, by its address. */
  #owners = new Int32Array();

  constructor({ module, globals }: Variant, imports: WebAssembly.Imports) {
    const instance = new WebAssembly.Instance(module, imports);
    this.exports = instance.exports as unknown as Exports;
    const named = (name: string): WebAssembly.Global => {
      const global = instance.exports[name];
      if (global instanceof WebAssembly.Global) return global;
      throw new Error(`the module has no variable ${name}; say in groups/machine.ts what has taken its place`);
    };
    this.#globals = globals.map(named);
    this.#roots = globals.filter((name) => !name.startsWith("~lib/")).map(named);
    this.#dead = DEAD.map(named);
    this.#objects = named("~lib/rt/itcms/fromSpace");
    this.#white = named("~lib/rt/itcms/white");
    this.#stack = named("~lib/memory/__stack_pointer");
    this.#slots = named("assembly/handler-table/slots");
    this.#hasCancels = named("assembly/handler-table/hasCancels");
    this.#members = named("assembly/handler-table/members");
    this.#lastSlot = named("assembly/handler-table/lastSlot");
    this.#firstFree = named("assembly/handler-table/firstFree");
    this.#stackBase = this.#stack.value as number;
    this.words = new Int32Array(this.exports.memory.buffer);
  }

  /** Lets the module's memory grow as far as it ever will, and starts the module. */
  initialize(): void {
    this.exports.memory.grow(PAGES);
    this.words = new Int32Array(this.exports.memory.buffer);
    this.exports._initialize();
  }

  /** Takes the present state as the one that others are told apart from. */
  begin(): void {
    this.#hasCancels.value = 1;
    this.collect();
    this.words = new Int32Array(this.exports.memory.buffer);
    this.#heapStart = this.#stackBase >>> 2;
    this.#fillTable();
    this.clean();
    this.#initial = this.words.slice();
    this.#bytes = new Uint8Array(this.words.buffer);
    this.#initialBytes = new Uint8Array(this.#initial.buffer);
    this.#owners = new Int32Array(this.words.length >>> 2);
  }

  get stackDepth(): number {
    return this.#stackBase - (this.#stack.value as number);
  }

  /** Collects garbage; twice where that brings back the colour that the collector began with. */
  collect(): void {
    this.exports.collect();
    if (this.#white.value !== 0) this.exports.collect();
  }

  /** Overwrites what is dead between two turns. */
  clean(): void {
    const { words } = this;
    words.fill(POISON, (this.#stackBase - STACK_BYTES) >>> 2, this.#stackBase >>> 2);
    const at = this.completionsAt >>> 2;
    if (at) words.fill(POISON, at, at + (RECORDS * COMPLETION_BYTES) / 4);
    // A turn of ours has 8 bytes of payload for each completion.
    if (at) words.fill(POISON, this.arenaAt >>> 2, (this.arenaAt >>> 2) + RECORDS * 2);
    this.#cleanSlots();
    for (const global of this.#dead) global.value = 0;
  }

  /**
   * Makes equal what makes no difference, by writing it into the machine, which must go on from there. A slot that is in
   * flight is in no list, and one that is no member's has no number of one. In which order slots become free only decides
   * their names. Of generations the library only asks which is larger.
   */
  #cleanSlots(): void {
    const { words } = this;
    let following = 0;
    const members = (this.#members.value as number) >>> 2;
    for (let slot = SLOTS; slot > 0; slot--) {
      const at = this.#slotAt(slot);
      const state = words[at + 1]! & STATE;
      words[at + 1] = state === FREE ? following << NEXT_SHIFT : state;
      if (state === FREE) following = slot;
      if (!(state & MEMBER) && members > 0) words[members + slot] = 0;
    }
    this.#firstFree.value = following;
    this.#eachDifferent((index) => {
      const word = words[index]!;
      if (word < GENERATIONS || index < this.#heapStart) return;
      const slot = (word - GENERATIONS) >>> 8;
      if (slot > SLOTS) return;
      const isCurrent = word === words[this.#slotAt(slot)];
      if (index !== this.#slotAt(slot)) words[index] = GENERATIONS + slot * 256 + (isCurrent ? USED : OVER);
    });
    for (let slot = 1; slot <= SLOTS; slot++) words[this.#slotAt(slot)] = GENERATIONS + slot * 256 + USED;
  }

  /** Gives the guest all slots that it will need, with generations that look like no other number. */
  #fillTable(): void {
    const { words } = this;
    for (let slot = 1; slot <= SLOTS; slot++) words[this.#slotAt(slot)] = GENERATIONS + slot * 256 + USED;
    this.#lastSlot.value = SLOTS;
  }

  #slotAt(slot: number): number {
    return ((this.#slots.value as number) >>> 2) + slot * SLOT_WORDS;
  }

  generationOf(slot: number): number {
    return this.words[this.#slotAt(slot)]!;
  }

  save(): Snapshot {
    const { words } = this;
    if (words.length === 0) throw new Error("the memory grew; a state of this size was not expected");
    const initial = this.#initial;
    const differing: number[] = [];
    this.#eachDifferent((index) => {
      if (words[index] !== initial[index]) differing.push(index, words[index]!);
    });
    return { words: Int32Array.from(differing), globals: this.#globals.map(({ value }) => value) };
  }

  /** Visits the words of those pieces of memory that are not as they were at the start. */
  #eachDifferent(visit: (index: number) => void): void {
    const [now, then] = [this.#bytes, this.#initialBytes];
    for (let start = 0; start < then.length; start += PIECE_BYTES) {
      const end = start + PIECE_BYTES;
      if (Buffer.compare(now.subarray(start, end), then.subarray(start, end)) === 0) continue;
      for (let index = start >>> 2; index < end >>> 2; index++) visit(index);
    }
  }

  restore({ words, globals }: Snapshot): void {
    this.words.set(this.#initial);
    for (let index = 0; index < words.length; index += 2) this.words[words[index]!] = words[index + 1]!;
    this.#globals.forEach((global, index) => (global.value = globals[index]));
  }

  /** The graph of live objects, as numbers. Equal for two states if and only if the graphs are. */
  graph(): Int32Array {
    const objects = this.#findObjects();
    const { words } = this;
    const names = new Map<number, number>();
    const met: number[] = [];
    const result: number[] = [];
    const put = (word: number): void => {
      const owner = word > 0 && word >>> 4 < this.#owners.length ? this.#owners[word >>> 4]! : 0;
      if (owner === 0 || word < owner || word > owner + words[(owner >>> 2) + BYTES]!) return void result.push(0, word);
      let name = names.get(owner);
      if (name === undefined) {
        names.set(owner, (name = met.push(owner)));
      }
      result.push(name, word - owner);
    };
    for (const { value } of this.#roots) {
      if (typeof value === "bigint") result.push(Number(value & 0xffff_ffffn), Number(value >> 32n));
      else put(value as number);
    }
    for (let index = 0; index < met.length; index++) {
      const at = met[index]! >>> 2;
      const bytes = words[at + BYTES]!;
      result.push(-1, words[at + TYPE]!, bytes);
      for (let word = 0; word < bytes >>> 2; word++) put(words[at + word]!);
    }
    for (const object of objects) this.#own(object, 0);
    return Int32Array.from(result);
  }

  /** The objects in the collector's list; afterwards each 16 bytes know theirs. */
  #findObjects(): number[] {
    const objects: number[] = [];
    const list = this.#objects.value as number;
    for (let header = this.#next(list); header !== list; header = this.#next(header)) {
      const object = header + HEADER_WORDS * 4;
      objects.push(object);
      this.#own(object, object);
    }
    return objects;
  }

  #own(object: number, owner: number): void {
    const bytes = this.words[(object >>> 2) + BYTES]!;
    this.#owners.fill(owner, object >>> 4, ((object + Math.max(bytes, 1) - 1) >>> 4) + 1);
  }

  /** The header that follows in the collector's list. */
  #next(header: number): number {
    return this.words[(header >>> 2) + HEADER_WORDS + NEXT]! & ~COLOUR;
  }
}
