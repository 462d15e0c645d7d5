// Hostile guest: plays a script against the real host, through the four imports, and checks what comes of each call.
//
// It is no module: its memory is a plain buffer and its exports are functions of this file, so that a hundred thousand
// cases take a second. What it knows of the contract it has from docs/contract.md and the numbers of abi.ts, and from
// nothing in src/.

import {
  ACCEPT_HEADERS,
  COMPLETION_BYTES,
  DETACHED,
  EventKind,
  FETCH_BODY,
  KV_METADATA,
  REPORT_DROPPED,
  MORE,
  OPCODE_COUNT,
  Opcode,
  PAYLOAD_ALIGNMENT,
  RECLAIM,
  RESOURCE_NAME_BYTES_MAX,
  RESPOND_FORWARD,
  SLOT_COUNT_MAX,
  SUBMISSION_BYTES,
  SUBMIT_COUNT_MAX,
  Status,
  TIMER_MS_MAX,
} from "../../assembly/abi.ts";
import type { Limits } from "../../src/index.ts";
import { bytesOf } from "./dice.ts";
import type { Content, Place, Ref, Step, Submission, Turn } from "./host-script.ts";

const PAGE_BYTES = 65_536;

// The guest's memory: one page at first.
const COMPLETIONS = 0x0000;
const CAPACITY = 64;
const SUBMISSIONS = 0x1000;
const ARGUMENTS = 0x2000;
const ARENA = 0x8000;
const ARENA_BYTES = 0x8000;
const SCRIBBLE = 0xa5;

export type Imports = Record<"submit" | "poll" | "open" | "abort", (...args: number[]) => number>;

/** What a whole run shares: the turns that are left, and what was found. */
export interface Run {
  readonly limits: Limits;
  readonly isShared: boolean;
  /** The next turn of the script; undefined after the last. */
  next(): Turn | undefined;
  /** What a put may bring to the store: `key NUL value`, a character for each byte. */
  readonly puts: Set<string>;
  cases: number;
  violation: string | undefined;
  /** Whether some records were polled over others, so that nobody knows what they said. */
  blind: boolean;
  /** Whether the last request is being served, which finds out what the host has not given back. */
  healthy: boolean;
}

/** A request, as the guest knows it. */
interface Owner {
  exchange: number;
  answered: boolean;
  /** The last request's: how far it has come. */
  probing: "waiting" | "counting" | "done";
}

interface Entry {
  readonly opcode: number;
  /** The status that it must have, if the record alone decides that. */
  readonly expected: number | undefined;
  readonly resource: number;
  owner: Owner | undefined;
  /** How often poll had said TooBig. If it has since, it may have been about this one, which then fails with TooBig. */
  readonly demands: number;
}

/** A record that was handed over. */
interface Admission {
  readonly slot: number;
  readonly generation: number;
  readonly argumentBytes: number;
  readonly entry: Entry;
}

/** Thrown out of `run`; ends the session. */
export class Violation extends Error {}

const FLAGS_ALLOWED: Partial<Record<Opcode, number>> = {
  [Opcode.Accept]: ACCEPT_HEADERS,
  [Opcode.Respond]: RESPOND_FORWARD,
  [Opcode.Fetch]: FETCH_BODY,
  [Opcode.KvGet]: KV_METADATA,
  [Opcode.Report]: REPORT_DROPPED,
};
const HAS_RESOURCE = new Set([2, 5, 6, 7, 8, 9, 10, 11]);
const RELIEVING = new Set<number>([Opcode.Cancel, Opcode.Close, Opcode.Respond, Opcode.Wake]);
const STATUSES = new Set<number>(Object.values(Status).filter((value) => typeof value === "number"));
/** What a resource that is not there comes to, or a mistake that is found first. */
const NOT_THERE = new Set<number>([Status.BadResource, Status.Invalid, Status.TooBig]);

/** Tokens that the guest chooses itself: the generation counts. */
const FIRST_GENERATION = 0x4000_0000;
const ACCEPT_TOKEN = [0x1234, 0x5678] as const;
const ACCEPT_KEY = ACCEPT_TOKEN.join(":");

export class HostileGuest {
  #buffer = new ArrayBuffer(PAGE_BYTES);
  #bytes = Buffer.from(this.#buffer);
  #words = new Uint32Array(this.#buffer);
  #before = Buffer.alloc(PAGE_BYTES);
  readonly #run: Run;
  readonly #imports: Imports;
  /** Operations without a final completion, by `slot:generation`. */
  readonly #entries = new Map<string, Entry[]>();
  #sequence = 0;
  readonly #owners = new Map<number, Owner | undefined>();
  /** Resources, in the order in which they came. */
  readonly #resources: number[] = [];
  readonly #grants: number[] = [];
  readonly #opened = new Set<number>();
  #isAccepting = false;
  #lastResource = 0;
  /** Operations in flight, as the host must count them. */
  #outstanding = 0;
  #demands = 0;
  #owner: Owner | undefined;
  #submittedNow: Entry[] = [];
  #budget = 0;
  #inside = false;
  /** Whether the script wants what is thrown. */
  #isPlanned = false;
  #argumentsAt = ARGUMENTS;
  /** Whether a turn has ended by abort, or by anything worse. */
  aborted = false;
  trapped = false;
  served = false;

  constructor(run: Run, imports: Imports) {
    this.#run = run;
    this.#imports = imports;
  }

  /** What the host takes for the instance's exports. */
  get exports(): WebAssembly.Exports {
    const memory = (): ArrayBuffer => this.#buffer;
    return {
      memory: {
        get buffer() {
          return memory();
        },
      },
      _initialize: () => this.#watched(() => this.#initialize()),
      run: (budget: number) => this.#watched(() => this.#turn(budget)),
    } as unknown as WebAssembly.Exports;
  }

  #fail(message: string): never {
    this.#run.violation ??= message;
    throw new Violation(message);
  }

  #watched<T>(call: () => T): T {
    if (this.#inside) this.#fail("an import called an export");
    if (this.trapped) this.#fail("an instance was called again after it had trapped");
    this.#inside = true;
    this.#isPlanned = false;
    try {
      return call();
    } catch (error) {
      if (!this.#isPlanned) this.#run.violation ??= `${(error as Error).stack}`;
      throw error;
    } finally {
      this.#inside = false;
    }
  }

  /** Operations that have had no final completion, but for the accept. Empty once all is over. */
  get unfinished(): string[] {
    return [...this.#entries]
      .filter(([key]) => key !== ACCEPT_KEY)
      .map(([key, [entry]]) => `${key} (${entry!.opcode})`);
  }

  // The exports.

  #initialize(): void {
    for (const name of ["STORE", "READ", "API"]) this.#grants.push(this.#openName(name));
    const record: Submission = { opcode: Opcode.Accept, resource: ["raw", 0], arguments: [EventKind.Fetch] };
    if (this.#submit([{ ...record, token: ACCEPT_TOKEN }], SUBMISSIONS, 1) !== 1) this.#fail("the accept was refused");
    this.#isAccepting = true;
  }

  #turn(budget: number): number {
    this.#owner = undefined;
    this.#submittedNow = [];
    this.#budget = budget;
    if (this.#run.healthy) return this.#healthyTurn();
    const turn = this.#run.next();
    if (!turn) return this.#lastTurn();
    const taken = turn.take > 0 ? this.#take(turn.take) : 0;
    for (const step of turn.steps) this.#step(step);
    // The host calls nobody a second time who took nothing.
    const more = this.#budget === budget ? this.#take(1) : 0;
    this.#settleOwners();
    switch (turn.end[0]) {
      case "abort":
        return this.#abort(turn.end.slice(1) as number[]);
      case "throw":
        this.#run.cases++;
        this.trapped = this.#isPlanned = true;
        throw new WebAssembly.RuntimeError("on purpose");
      case "answer":
        this.#run.cases++;
        this.trapped = turn.end[1] < 0;
        return turn.end[1];
      default:
        return taken + more;
    }
  }

  /** After the script: takes everything, and answers whatever is unanswered. */
  #lastTurn(): number {
    const taken = this.#take(CAPACITY);
    const owner = this.#owner;
    if (owner && !owner.answered) this.#answer(owner, 204);
    this.#settleOwners();
    return taken;
  }

  #answer(owner: Owner, status: number): void {
    owner.answered = true;
    this.#submit([{ opcode: Opcode.Respond, resource: ["raw", owner.exchange], arguments: [status] }], SUBMISSIONS, 1);
  }

  /** The last request: whatever the host has not given back is missing here. */
  #healthyTurn(): number {
    const taken = this.#take(CAPACITY);
    const owner = this.#owner;
    if (!owner || owner.probing === "done") return taken;
    this.served = true;
    const timer: Submission = { opcode: Opcode.Timer, resource: ["raw", 0], arguments: [1] };
    if (owner.probing === "waiting") {
      // What is left of others, such as slots to be reclaimed, comes with the turns of this one.
      this.#submit([timer], SUBMISSIONS, 1);
      if (taken <= 1) owner.probing = "counting";
    } else {
      owner.probing = "done";
      this.#count(owner);
      this.#answer(owner, 200);
    }
    this.#settleOwners();
    return taken;
  }

  #count(owner: Owner): void {
    const { cases } = this.#run;
    const { resources, argumentBytes, inFlight } = this.#run.limits;
    let opened = 0;
    while (this.#openName("STORE") > 0) opened++;
    const held = resources - this.#grants.length - 1 - opened;
    if (held !== 0) this.#fail(`resources: ${held} were not given back`);
    // One operation whose arguments are all that the host holds, and as many as it takes at once.
    const place = this.#placed("b".repeat(argumentBytes - 1));
    const put: Submission = { opcode: Opcode.KvPut, resource: ["grant", 0], name: ["bytes", "a"] };
    const noop: Submission = { opcode: Opcode.Noop, resource: ["raw", 0] };
    const full = { ...put, data: ["range", ["at", place], argumentBytes - 1] as Content };
    if (this.#submit([full], SUBMISSIONS, 1) !== 1) this.#fail("arguments: some were not given back");
    let noops = 0;
    while (noops < inFlight * 2 && this.#submit([noop], SUBMISSIONS, 1) === 1) noops++;
    const left = inFlight - (this.#isAccepting ? 1 : 0) - 1 - noops;
    if (left !== 0) this.#fail(`in flight: ${left} were not given back`);
    // These are not what the script is about.
    this.#run.cases = cases;
    owner.answered = true;
  }

  #abort(args: number[]): never {
    this.#run.cases++;
    this.aborted = this.#isPlanned = true;
    if (!this.#run.isShared) this.trapped = true;
    this.#snapshot();
    try {
      this.#imports.abort(...args.map((arg) => arg | 0));
    } catch (error) {
      this.#compare([], "abort");
      throw error;
    }
    this.#fail("abort returned");
  }

  // Steps.

  #step(step: Step): void {
    switch (step.do) {
      case "submit":
        this.#submit(step.records, step.at ? this.#at(step.at) : SUBMISSIONS, step.count ?? step.records.length);
        return;
      case "poll": {
        const [at, arena] = [this.#at(step.at), this.#at(step.arena)];
        const end = at + Math.min(step.capacity, this.#budget) * COMPLETION_BYTES;
        // What is polled over records cannot be read any more, so the rest of the session is played half blind.
        const overlaps = at < arena + step.arenaBytes && arena < end;
        if (!overlaps || step.overlapping) this.#poll(at, step.capacity, arena, step.arenaBytes);
        return;
      }
      case "open":
        this.#openName(step.name, step.at && this.#at(step.at), step.bytes);
        return;
      default:
        this.#grow(step.pages);
    }
  }

  #at([from, offset]: Place): number {
    return from === "end" ? (this.#bytes.length - offset) >>> 0 : offset >>> 0;
  }

  /** Detaches whatever the host has seen of the memory. */
  #grow(pages: number): void {
    if (this.#bytes.length >= 3 * PAGE_BYTES) return;
    this.#buffer = this.#buffer.transfer(this.#bytes.length + pages * PAGE_BYTES);
    this.#bytes = Buffer.from(this.#buffer);
    this.#words = new Uint32Array(this.#buffer);
    this.#before = Buffer.alloc(this.#bytes.length);
  }

  // Memory before and after.

  #snapshot(): void {
    this.#bytes.copy(this.#before);
  }

  /** Fails if anything outside these ranges has changed. */
  #compare(ranges: readonly (readonly [start: number, end: number])[], what: string): void {
    let at = 0;
    for (const [start, end] of ranges.toSorted((a, b) => a[0] - b[0])) {
      if (start > at) this.#compareRange(at, start, what);
      at = Math.max(at, end);
    }
    if (at < this.#bytes.length) this.#compareRange(at, this.#bytes.length, what);
  }

  #compareRange(start: number, end: number, what: string): void {
    if (this.#bytes.compare(this.#before, start, end, start, end) !== 0)
      this.#fail(`memory: ${what} wrote between ${start} and ${end}`);
  }

  #isInside(at: number, length: number): boolean {
    return length <= this.#bytes.length && at <= this.#bytes.length - length;
  }

  // open

  #openName(name: string, where?: number, length?: number): number {
    this.#run.cases++;
    const bytes = bytesOf(name);
    this.#bytes.set(bytes, ARGUMENTS);
    const at = where ?? ARGUMENTS;
    const count = length ?? bytes.length;
    this.#snapshot();
    const number = this.#call("open", at, count);
    this.#compare([], "open");
    const isFault = count <= RESOURCE_NAME_BYTES_MAX && !this.#isInside(at, count);
    if (count > RESOURCE_NAME_BYTES_MAX && number !== Status.TooBig) this.#fail(`open: ${count} bytes gave ${number}`);
    if (isFault !== (number === Status.Fault)) this.#fail(`open(${at}, ${count}) gave ${number}`);
    if (number <= 0) return number;
    const granted = this.#bytes.toString("latin1", at, at + count);
    if (!["STORE", "READ", "API"].includes(granted)) this.#fail(`open: "${granted}" was not granted`);
    this.#newResource(number, this.#owner);
    this.#opened.add(number);
    return number;
  }

  #newResource(number: number, owner: Owner | undefined): void {
    if (this.#owners.has(number)) this.#fail(`resource ${number} was given out before`);
    this.#lastResource = Math.max(number, this.#lastResource);
    this.#resources.push(number);
    // A turn whose request is not known yet may have opened it for anybody.
    this.#owners.set(number, owner);
  }

  #call(name: "submit" | "poll" | "open", ...args: number[]): number {
    let result: number;
    try {
      result = this.#imports[name](...args.map((arg) => arg | 0));
    } catch (error) {
      this.#fail(`${name} threw ${(error as Error).stack}`);
    }
    if (!Number.isInteger(result) || (result < 0 && !STATUSES.has(result)))
      this.#fail(`${name}(${args.join(", ")}) gave ${result}`);
    return result;
  }

  // submit

  #submit(records: readonly Submission[], at: number, count: number): number {
    this.#argumentsAt = ARGUMENTS;
    this.#run.cases += Math.max(1, Math.min(count, records.length));
    records.forEach((record, index) => this.#write(record, at + index * SUBMISSION_BYTES));
    const isSane = count <= SUBMIT_COUNT_MAX && (at & 3) === 0 && this.#isInside(at, count * SUBMISSION_BYTES);
    const batch = isSane ? Array.from({ length: count }, (_, index) => this.#read(at + index * SUBMISSION_BYTES)) : [];
    this.#snapshot();
    const admitted = this.#call("submit", at, count);
    this.#compare([], "submit");
    if (!isSane) {
      const expected = count > SUBMIT_COUNT_MAX ? Status.TooBig : Status.Fault;
      if (admitted !== expected) this.#fail(`submit(${at}, ${count}) gave ${admitted}`);
      return admitted;
    }
    if (admitted < 0 || admitted > count) this.#fail(`submit(${at}, ${count}) gave ${admitted}`);
    for (let index = 0; index < admitted; index++) this.#admit(batch[index]!);
    if (admitted < count) this.#checkRefusal(batch[admitted]!);
    // All of it is the guest's again: what the host has not copied by now, it gets wrong.
    this.#bytes.fill(SCRIBBLE, at, at + count * SUBMISSION_BYTES);
    this.#bytes.fill(SCRIBBLE, ARGUMENTS, ARENA);
    return admitted;
  }

  #write(record: Submission, at: number): void {
    if (!this.#isInside(at, SUBMISSION_BYTES) || (at & 3) !== 0) return;
    const words = this.#words;
    const first = at >>> 2;
    const [slot, generation] = record.token ?? tokenOf(this.#sequence++);
    words[first] = slot;
    words[first + 1] = generation;
    words[first + 2] = record.opcode | ((record.flags ?? 0) << 16);
    words[first + 3] = this.#number(record.resource);
    words[first + 4] = record.deadline ?? 0;
    this.#place(record.name, first + 5);
    this.#place(record.data, first + 7);
    this.#place(record.meta, first + 9);
    for (let index = 0; index < 4; index++) words[first + 11 + index] = 0;
    record.arguments?.forEach((argument, index) => this.#argument(argument, first + 11 + index));
    words[first + 15] = 0;
    for (const [index, value] of record.words ?? []) words[first + index] = value;
  }

  #argument(argument: number | Ref | ["token", number], word: number): void {
    if (typeof argument === "number") this.#words[word] = argument;
    else if (argument[0] !== "token") this.#words[word] = this.#number(argument);
    else this.#words.set(tokenOf(Math.max(0, this.#sequence - 2 - argument[1])), word);
  }

  #number([kind, number]: Ref): number {
    if (kind === "raw") return number;
    if (kind === "grant") return this.#grants[number % this.#grants.length] ?? 0;
    // The exchange, or one of the last resources that came.
    if (kind === "own" && number === 0 && this.#owner) return this.#owner.exchange;
    let left = number % 4;
    for (let index = this.#resources.length - 1; index >= 0; index--) {
      const owner = this.#owners.get(this.#resources[index]!);
      if (owner !== undefined && (owner === this.#owner) === (kind === "own") && left-- === 0)
        return this.#resources[index]!;
    }
    return 0;
  }

  #placed(text: string): number {
    const at = this.#argumentsAt + text.length <= ARENA ? this.#argumentsAt : ARGUMENTS;
    this.#bytes.set(bytesOf(text), at);
    this.#argumentsAt = at + text.length;
    return at;
  }

  #place(content: Content | undefined, field: number): void {
    const [at, length] = this.#range(content ?? ["none"]);
    this.#words[field] = at;
    this.#words[field + 1] = length;
  }

  #range(content: Content): readonly [at: number, length: number] {
    switch (content[0]) {
      case "bytes":
        return [this.#placed(content[1]), content[1].length];
      case "last": {
        const at = this.#bytes.length - content[1].length;
        this.#bytes.set(bytesOf(content[1]), at);
        return [at, content[1].length];
      }
      case "range":
        return [this.#at(content[1]), content[2] >>> 0];
      default:
        return [0, 0];
    }
  }

  /** What the record at this place says, and what must become of it. */
  #read(at: number): Admission {
    const first = at >>> 2;
    const word = (index: number): number => this.#words[first + index]!;
    const opcode = word(2) & 0xffff;
    const argumentBytes = word(6) + word(8) + word(10);
    const expected = this.#expected(word, opcode, argumentBytes);
    if (opcode === Opcode.KvPut && expected === undefined) {
      const [name, data] = [word(5), word(7)];
      const value = this.#bytes.toString("latin1", data, data + word(8));
      this.#run.puts.add(`${this.#bytes.toString("latin1", name, name + word(6))}\0${value}`);
    }
    const owner = opcode === Opcode.Accept ? undefined : this.#owner;
    const entry = { opcode, expected, resource: word(3), owner, demands: this.#demands };
    return { slot: word(0), generation: word(1), argumentBytes, entry };
  }

  /** The status that the contract's table gives to the record itself, in that table's order. */
  #expected(word: (index: number) => number, opcode: number, argumentBytes: number): Status | undefined {
    if (opcode >= OPCODE_COUNT) return Status.NotSupported;
    const allowed = DETACHED | (FLAGS_ALLOWED[opcode as Opcode] ?? 0);
    const hasReserved = word(15) !== 0 || ((word(2) >>> 16) & ~allowed) !== 0;
    if (hasReserved || word(0) >= SLOT_COUNT_MAX || word(4) > TIMER_MS_MAX) return Status.Invalid;
    for (const field of [5, 7, 9])
      if (word(field + 1) > 0 && !this.#isInside(word(field), word(field + 1))) return Status.Fault;
    return argumentBytes > this.#run.limits.argumentBytes ? Status.TooBig : undefined;
  }

  #admit({ slot, generation, entry }: Admission): void {
    // A grant can be opened again, so that closing one makes no room.
    const relieves =
      RELIEVING.has(entry.opcode) && !(entry.opcode === Opcode.Close && this.#opened.has(entry.resource));
    if (this.#outstanding >= this.#run.limits.inFlight && !relieves && !this.#run.blind)
      this.#fail(`submit: admitted ${entry.opcode} though ${this.#outstanding} were in flight`);
    this.#outstanding++;
    this.#submittedNow.push(entry);
    const key = `${slot}:${generation}`;
    const same = this.#entries.get(key);
    if (same) same.push(entry);
    else this.#entries.set(key, [entry]);
  }

  #checkRefusal({ argumentBytes, entry }: Admission): void {
    if (argumentBytes > 0 || this.#run.blind) return;
    if (this.#outstanding < this.#run.limits.inFlight)
      this.#fail(`submit: refused ${entry.opcode} though ${this.#outstanding} were in flight`);
  }

  /** What was submitted in this turn belonged to the request that the turn turned out to be. */
  #settleOwners(): void {
    for (const entry of this.#submittedNow) if (entry.opcode !== Opcode.Accept) entry.owner ??= this.#owner;
  }

  // poll

  /** Polls as the contract says. */
  #take(most: number): number {
    const taken = this.#poll(COMPLETIONS, Math.min(most, CAPACITY), ARENA, ARENA_BYTES);
    if (taken < 0) this.#fail(`poll with room for everything gave ${taken}`);
    return taken;
  }

  #poll(at: number, capacity: number, arena: number, arenaBytes: number): number {
    this.#run.cases++;
    const what = `poll(${at}, ${capacity}, ${arena}, ${arenaBytes})`;
    const most = Math.min(capacity, this.#budget);
    this.#snapshot();
    const count = this.#call("poll", at, capacity, arena, arenaBytes);
    const isWrong = (at & 3) !== 0 || !this.#isInside(at, 0) || !this.#isInside(arena, arenaBytes);
    if (isWrong && count !== Status.Fault) this.#fail(`${what} gave ${count}`);
    if (count === Status.Fault) {
      if (!isWrong && this.#isInside(at, most * COMPLETION_BYTES)) this.#fail(`${what} gave ${count}`);
      this.#compare([], what);
    } else if (count === Status.TooBig) {
      if (most === 0) this.#fail(`${what} gave ${count} though nothing may be taken`);
      this.#demands++;
      this.#budget--;
      this.#compare([[at + 24, at + 28]], what);
    } else {
      const end = at + count * COMPLETION_BYTES;
      if (count < 0 || count > most || end > this.#bytes.length) this.#fail(`${what} gave ${count}`);
      this.#budget -= count;
      const ranges =
        count > 0
          ? ([
              [at, end],
              [arena, arena + arenaBytes],
            ] as const)
          : [];
      this.#compare(ranges, what);
      if (at < arena + arenaBytes && arena < end) this.#run.blind = true;
      else this.#completions(at, count, arena, arena + arenaBytes);
    }
    return count;
  }

  #completions(at: number, count: number, arena: number, arenaEnd: number): void {
    let free = arena;
    for (let index = 0; index < count; index++) {
      const first = (at + index * COMPLETION_BYTES) >>> 2;
      const [payload, payloadBytes] = [this.#words[first + 5]!, this.#words[first + 6]!];
      if (payloadBytes > 0) {
        if (payload % PAYLOAD_ALIGNMENT !== 0 || payload < free || payload + payloadBytes > arenaEnd)
          this.#fail(`payload: ${payloadBytes} bytes at ${payload} in an arena from ${free} to ${arenaEnd}`);
        free = payload + payloadBytes;
      }
      this.#completion(first);
    }
  }

  #completion(first: number): void {
    const [slot, generation, status, flags, resource] = [
      this.#words[first]!,
      this.#words[first + 1]!,
      this.#words[first + 2]! | 0,
      this.#words[first + 3]!,
      this.#words[first + 4]!,
    ];
    const key = `${slot}:${generation}`;
    const what = `completion of ${key} with status ${status}, flags ${flags}`;
    if (!STATUSES.has(status) || (flags & ~(MORE | RECLAIM)) !== 0) this.#fail(`${what}: no such status or flag`);
    if (status < 0 && resource !== 0) this.#fail(`${what}: failed, and has resource ${resource}`);
    if (flags & MORE) return this.#request(key, status, resource);
    const entry = this.#finish(key, what, status, flags);
    // Of several operations with a token that the script has chosen, nobody knows which this is.
    if (entry && !(flags & RECLAIM) && this.#isOwnToken(slot, generation)) {
      if (entry.opcode !== Opcode.Accept) this.#become(entry.owner, what);
      this.#checkOutcome(entry, status, what);
      if (resource !== 0 && entry.opcode !== Opcode.Fetch) this.#fail(`${what}: has resource ${resource}`);
    }
    if (resource !== 0) this.#newResource(resource, entry?.owner ?? this.#owner);
  }

  /** A request comes under the token of the accept. */
  #request(key: string, status: number, exchange: number): void {
    if (key !== ACCEPT_KEY) this.#fail(`completion of ${key}: MORE, and no accept`);
    const owner: Owner = { exchange, answered: exchange === 0, probing: "waiting" };
    if ((exchange === 0) !== status < 0) this.#fail(`request: status ${status}, exchange ${exchange}`);
    this.#become(owner, "request");
    if (exchange !== 0) this.#newResource(exchange, owner);
  }

  /** Takes note of a final completion. Of several operations with one token, one that it fits. */
  #finish(key: string, what: string, status: number, flags: number): Entry | undefined {
    this.#outstanding--;
    const entries = this.#entries.get(key);
    if (!entries) {
      if (!this.#run.blind) this.#fail(`${what}: nobody waits for it`);
      return undefined;
    }
    // First those whose record decides the status: the others may end in many ways.
    const certain = entries.findIndex(({ expected }) => expected === status);
    const possible = certain < 0 ? entries.findIndex((entry) => this.#mayEnd(entry, status)) : certain;
    const index = flags & RECLAIM ? 0 : possible;
    if (index < 0) this.#fail(`${what}: ${entries.map(({ opcode, expected }) => `${opcode} ${expected}`).join()}`);
    if (flags & RECLAIM && !this.#run.isShared) this.#fail(`${what}: reclaimed`);
    const [entry] = entries.splice(index, 1);
    if (entries.length === 0) this.#entries.delete(key);
    if (key === ACCEPT_KEY) this.#isAccepting = false;
    return entry;
  }

  /** Whether this status is what the record itself must come to, or may come to. */
  #mayEnd({ expected, opcode, demands }: Entry, status: number): boolean {
    if (status === Status.TooBig && demands < this.#demands) return true;
    if (expected !== undefined) return status === expected;
    return status !== Status.Fault && (status !== Status.NotSupported || opcode === Opcode.Accept);
  }

  #isOwnToken(slot: number, generation: number): boolean {
    const sequence = generation - FIRST_GENERATION;
    return sequence >= 0 && sequence < this.#sequence && slot === (sequence & 0xf_ffff);
  }

  /** All completions of one turn belong to one request. */
  #become(owner: Owner | undefined, what: string): void {
    if (!owner) return;
    if (this.#owner && this.#owner !== owner && !this.#run.blind) this.#fail(`${what}: in another request's turn`);
    this.#owner = owner;
  }

  /** What was not given, or not for this, must not have been reached. */
  #checkOutcome(entry: Entry, status: number, what: string): void {
    const { opcode, resource, owner } = entry;
    if (!HAS_RESOURCE.has(opcode) || entry.expected !== undefined || this.#run.blind) return;
    const resourceOwner = this.#owners.get(resource);
    const isForeign = owner !== undefined && resourceOwner !== undefined && owner !== resourceOwner;
    // Some more may be on their way already.
    const isMissing = resource === 0 || resource > this.#lastResource + this.#run.limits.inFlight;
    if ((isForeign || isMissing) && !NOT_THERE.has(status))
      this.#fail(`${what}: opcode ${opcode} has reached resource ${resource}`);
    if (resource === this.#grants[1] && opcode !== Opcode.KvGet && status >= 0)
      this.#fail(`${what}: opcode ${opcode} has reached what may only be read`);
  }
}

function tokenOf(sequence: number): [slot: number, generation: number] {
  return [sequence & 0xf_ffff, FIRST_GENERATION + sequence];
}
