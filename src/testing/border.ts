// Border: stands between a guest and its host. It writes everything down, sees to it that both keep the contract, and
// does what a fair host would not: it grows the memory, calls `run` too early, brings completions that nobody expects.

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
  CancelResult,
  MORE,
  Opcode,
  RECLAIM,
  SUBMISSION_ARGUMENT_0,
  SUBMISSION_ARGUMENT_1,
  SUBMISSION_ARGUMENT_2,
  SUBMISSION_ARGUMENT_3,
  SUBMISSION_BYTES,
  SUBMISSION_DATA,
  SUBMISSION_DEADLINE_MS,
  SUBMISSION_META,
  SUBMISSION_NAME,
  SUBMISSION_OPCODE,
  SUBMISSION_RESOURCE,
  SUBMISSION_TOKEN_GENERATION,
  SUBMISSION_TOKEN_SLOT,
  Status,
} from "../../assembly/abi.ts";
import { nameOf } from "../processors.ts";
import type { PlatformEvent } from "./platform.ts";
import type { Random } from "./random.ts";
import type { Simulation } from "./simulation.ts";
import type { Trace } from "./trace.ts";

/** One submission that has no final completion yet. */
interface Flight {
  readonly event: PlatformEvent | undefined;
  readonly opcode: Opcode;
  readonly deadline: number;
  /** When a timer is due. */
  readonly due: number;
  /** The token that a cancel names. */
  readonly victim: string;
  /** Grows with each submission of the instance. */
  readonly order: number;
}

interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  run(budget: number): number;
  __collect?(): void;
}

type Import = (...args: number[]) => number;

/** Pages that memory grows by at most in an instance: growth is what is tested, not size. */
const GROWN_PAGES_MAX = 16;
/** Final completions that a duplicate may be made of. */
const DUPLICATES_OF = 32;
/** What the host admits although it is full. */
const RELIEVING: ReadonlySet<Opcode> = new Set([Opcode.Cancel, Opcode.Close, Opcode.Respond]);
/** The host's timers count whole milliseconds, rounded up. */
const TIMER_PRECISION_MS = 1;

export interface BorderOptions {
  world: Simulation;
  trace: Trace;
  /** Decides what the border does by itself. */
  random: Random;
  /** Whether memory is compared around each call, which takes most of the time. */
  comparing: boolean;
  /** Operations that the host may have in flight in one instance. */
  inFlightMax: number;
  /** Whether time is exact: deadlines are met to the millisecond unless the process stalls or its clock stands still. */
  exact: boolean;
  /** Whether the clock goes, exactly or not. */
  goes: boolean;
}

export class Border {
  readonly #options: BorderOptions;
  readonly #instances: InstanceBorder[] = [];

  constructor(options: BorderOptions) {
    this.#options = options;
  }

  readonly instantiate = (module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance => {
    const border = new InstanceBorder(this.#options, this.#instances.length);
    this.#instances.push(border);
    return border.instantiate(module, imports);
  };

  /** Operations that were admitted on behalf of these events and have no final completion. */
  unfinished(events: ReadonlySet<PlatformEvent>): string[] {
    return this.#instances.flatMap((instance) => instance.unfinished(events));
  }
}

class InstanceBorder {
  readonly #world: Simulation;
  readonly #trace: Trace;
  readonly #random: Random;
  readonly #options: BorderOptions;
  readonly #number: number;
  /** By token. A list, as nothing keeps two contexts of a guest from using the same token. */
  readonly #flights = new Map<string, Flight[]>();
  readonly #finals: { slot: number; generation: number; status: Status }[] = [];
  #exports!: Exports;
  /** The import that is being called. */
  #inside = "";
  #isRunning = false;
  #isNested = false;
  /** Submissions so far, operations in flight, and completions that this turn may still bring. */
  #submissions = 0;
  #inFlight = 0;
  #left = 0;
  /** For each event, the timer that fired last. */
  readonly #fired = new Map<PlatformEvent, Flight>();
  #grownPages = 0;
  /** The memory as the guest has left it, and as it was before the last call of an import. */
  #kept: Uint32Array | undefined;
  #before: Uint32Array | undefined;

  constructor(options: BorderOptions, number: number) {
    this.#world = options.world;
    this.#trace = options.trace;
    this.#random = options.random;
    this.#options = options;
    this.#number = number;
  }

  instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance {
    const wrapped = Object.entries(imports).map(([from, functions]) => {
      const calls = Object.entries(functions as Record<string, Import>);
      return [from, Object.fromEntries(calls.map(([name, call]) => [name, this.#import(from, name, call)]))];
    });
    const instance = new WebAssembly.Instance(module, Object.fromEntries(wrapped) as WebAssembly.Imports);
    this.#exports = instance.exports as unknown as Exports;
    const { _initialize, run } = this.#exports;
    const exports: Exports = {
      ...this.#exports,
      _initialize: () => this.#enter("_initialize", 0, () => (_initialize(), 0)),
      run: (budget) => this.#enter("run", budget, () => run(budget)),
    };
    return { exports } as unknown as WebAssembly.Instance;
  }

  // Calls of exports.

  #enter(name: string, budget: number, call: () => number): number {
    const now = this.#world.clock.now();
    this.#trace.numbers(now, this.#number, budget);
    this.#trace.line(() => `${now} ms: ${name}(${budget || ""}) of instance ${this.#number}, for ${this.#title}`);
    if (this.#inside) this.#violation(`G2: ${this.#inside} called ${name}`);
    if (this.#kept) this.#compare(this.#kept, [], `what came before ${name}`);
    if (name === "run" && this.#exports.__collect && this.#strikes("collection")) this.#exports.__collect();
    this.#isRunning = name === "run";
    this.#left = budget;
    try {
      const result = call();
      this.#trace.numbers(result);
      return result;
    } finally {
      this.#isRunning = false;
      this.#kept = this.#copy(this.#kept);
    }
  }

  // Calls of imports.

  #import(from: string, name: string, call: Import): Import {
    const isOfContract = from === "proactor_v1";
    return (...args) => {
      if (this.#isNested) this.#violation(`G2: a nested run called ${name}`);
      if (this.#inside) this.#violation(`G2: ${name} was called inside ${this.#inside}`);
      this.#trace.text(name);
      const submissions = name === "submit" && isOfContract ? this.#read(args[0]!, args[1]!) : [];
      this.#maybeGrow();
      if (name !== "abort") this.#maybeNest();
      const before = isOfContract ? (this.#before = this.#copy(this.#before)) : undefined;
      this.#inside = name;
      let result: number;
      try {
        result = call(...args);
      } finally {
        this.#inside = "";
      }
      if (before) this.#compare(before, writable(name, args, result), name);
      this.#maybeGrow();
      if (name === "submit" && isOfContract) this.#submitted(submissions, result);
      if (name === "poll" && isOfContract) result = this.#polled(args, result);
      this.#trace.numbers(result ?? 0);
      return result;
    };
  }

  #strikes(fault: "growth" | "collection" | "forged" | "nestedRun"): boolean {
    const probability = this.#world.faults[fault];
    return probability > 0 && this.#random.chance(probability);
  }

  #maybeGrow(): void {
    if (this.#grownPages >= GROWN_PAGES_MAX || !this.#strikes("growth")) return;
    try {
      this.#grownPages += this.#random.between(1, 3);
      this.#exports.memory.grow(1);
    } catch {
      // The module has set itself a limit, or is only being made.
    }
  }

  #maybeNest(): void {
    if (!this.#isRunning || !this.#strikes("nestedRun")) return;
    this.#isNested = true;
    const result = this.#exports.run(1);
    this.#isNested = false;
    if (result !== Status.Again) this.#violation(`G2: a nested run answered ${result}`);
  }

  // Submissions.

  /** Copies of the records of a batch, if they lie inside memory. */
  #read(at: number, count: number): DataView[] {
    const { buffer } = this.#exports.memory;
    const start = at >>> 0;
    if (start + (count >>> 0) * SUBMISSION_BYTES > buffer.byteLength) return [];
    return Array.from({ length: count >>> 0 }, (_, index) => {
      const from = start + index * SUBMISSION_BYTES;
      return new DataView(buffer.slice(from, from + SUBMISSION_BYTES));
    });
  }

  #submitted(submissions: DataView[], admitted: number): void {
    for (const [index, record] of submissions.entries()) {
      const word = (offset: number): number => record.getUint32(offset, true);
      const [slot, generation] = [word(SUBMISSION_TOKEN_SLOT), word(SUBMISSION_TOKEN_GENERATION)];
      const opcode = record.getUint16(SUBMISSION_OPCODE, true) as Opcode;
      const [argument0, argument1] = [word(SUBMISSION_ARGUMENT_0), word(SUBMISSION_ARGUMENT_1)];
      const deadlineMs = word(SUBMISSION_DEADLINE_MS);
      const [resource, argument2] = [word(SUBMISSION_RESOURCE), word(SUBMISSION_ARGUMENT_2)];
      this.#trace.numbers(slot, generation, word(SUBMISSION_OPCODE), resource, deadlineMs);
      this.#trace.numbers(argument0, argument1, argument2, word(SUBMISSION_ARGUMENT_3));
      for (const field of [SUBMISSION_NAME, SUBMISSION_DATA, SUBMISSION_META])
        this.#traceRange(word(field), word(field + 4));
      this.#trace.line(() => {
        const refused = index < admitted ? "" : ", refused";
        const deadline = deadlineMs ? `, ${deadlineMs} ms` : "";
        return `  submit ${nameOf({ opcode } as never)} ${slot}:${generation} (${argument0}, ${argument1})${deadline}${refused}`;
      });
      if (index >= admitted) continue;
      const now = this.#world.clock.now();
      const token = `${slot}:${generation}`;
      const flight: Flight = {
        event: this.#isRunning && opcode !== Opcode.Accept ? this.#world.platform.running : undefined,
        opcode,
        deadline: deadlineMs ? now + deadlineMs : Infinity,
        due: opcode === Opcode.Timer ? now + argument0 : Infinity,
        victim: `${argument0}:${argument1}`,
        order: this.#submissions++,
      };
      if (++this.#inFlight > this.#options.inFlightMax && !RELIEVING.has(opcode))
        this.#violation(`G4: ${this.#inFlight} operations are in flight, of at most ${this.#options.inFlightMax}`);
      this.#flights.set(token, [...(this.#flights.get(token) ?? []), flight]);
    }
  }

  #traceRange(at: number, length: number): void {
    const { buffer } = this.#exports.memory;
    if (length <= buffer.byteLength && at <= buffer.byteLength - length)
      this.#trace.bytes(new Uint8Array(buffer, at, length));
  }

  // Completions.

  #polled([at = 0, capacity = 0]: number[], count: number): number {
    for (let index = 0; index < count; index++) this.#deliver((at >>> 0) + index * COMPLETION_BYTES);
    // A payload that is too big counts too.
    this.#left -= count === Status.TooBig ? 1 : Math.max(0, count);
    if (this.#isRunning && this.#left < 0)
      this.#violation(`G11: a turn brought ${-this.#left} completions over its budget`);
    if (count <= 0 || count >= capacity >>> 0 || !this.#strikes("forged")) return count;
    this.#forge((at >>> 0) + count * COMPLETION_BYTES);
    return count + 1;
  }

  #deliver(at: number): void {
    const view = new DataView(this.#exports.memory.buffer, at, COMPLETION_BYTES);
    const word = (offset: number): number => view.getUint32(offset, true);
    const [slot, generation] = [word(COMPLETION_TOKEN_SLOT), word(COMPLETION_TOKEN_GENERATION)];
    const status = view.getInt32(COMPLETION_STATUS, true) as Status;
    const [flags, auxiliary] = [word(COMPLETION_FLAGS), word(COMPLETION_AUXILIARY)];
    this.#trace.numbers(slot, generation, status, flags, word(COMPLETION_RESOURCE), auxiliary);
    // The wording of a failure is the engine's.
    if (status >= 0) this.#traceRange(word(COMPLETION_PAYLOAD), word(COMPLETION_PAYLOAD_BYTES));
    this.#trace.line(() => {
      const bytes = word(COMPLETION_PAYLOAD_BYTES);
      return `  poll ${slot}:${generation} ${Status[status] ?? status}, ${bytes} bytes, flags ${flags}, auxiliary ${auxiliary}`;
    });
    this.#check(slot, generation, status, flags, auxiliary);
  }

  #check(slot: number, generation: number, status: Status, flags: number, auxiliary: number): void {
    const { running } = this.#world.platform;
    const token = `${slot}:${generation}`;
    const flights = this.#flights.get(token) ?? [];
    const isReclaim = (flags & RECLAIM) !== 0;
    // What is to be reclaimed was another's, and everything else is the running event's or the instance's.
    const mine = flights.findIndex(({ event }) => isReclaim || event === running || event === undefined);
    if (mine < 0)
      return this.#violation(
        flights.length === 0
          ? `G3: a completion of ${token}, which is not in flight`
          : `G19: a completion of ${token}, which belongs to ${flights[0]!.event?.name}`,
      );
    const flight = flights[mine]!;
    const what = `${nameOf({ opcode: flight.opcode } as never)} ${token}`;
    if (flags & MORE) {
      if (flight.opcode !== Opcode.Accept) this.#violation(`G3: ${what} has one completion, but this says MORE`);
      return;
    }
    flights.splice(mine, 1);
    this.#inFlight--;
    if (flights.length === 0) this.#flights.delete(token);
    if (isReclaim) return;
    this.#checkTime(flight, status, what);
    this.#checkOrder(flight, status, what);
    if (flight.opcode === Opcode.Cancel && status === Status.Ok) this.#checkCancel(flight, auxiliary, what);
    this.#finals.unshift({ slot, generation, status });
    this.#finals.length = Math.min(this.#finals.length, DUPLICATES_OF);
  }

  #checkTime({ deadline, due }: Flight, status: Status, what: string): void {
    if (!this.#options.exact) return;
    const now = this.#world.clock.now();
    if (status === Status.TimedOut && now < deadline)
      this.#violation(`G12: ${what} timed out ${deadline - now} ms early`);
    if (now > deadline + TIMER_PRECISION_MS)
      this.#violation(`G12: ${what} ended ${now - deadline} ms after its deadline`);
    if (status === Status.Ok && now < due && due < Infinity)
      this.#violation(`G12: ${what} fired ${due - now} ms early`);
    if (now > due + TIMER_PRECISION_MS) this.#violation(`G12: ${what} fired ${now - due} ms late`);
  }

  /** Timers of one event fire by due time, and equal ones by order of submission. */
  #checkOrder(flight: Flight, status: Status, what: string): void {
    if (flight.opcode !== Opcode.Timer || status !== Status.Ok || !flight.event || !this.#options.goes) return;
    const last = this.#fired.get(flight.event);
    if (last && (last.due - flight.due || last.order - flight.order) > 0)
      this.#violation(`G10: ${what} fired after one that is due later`);
    this.#fired.set(flight.event, flight);
  }

  #checkCancel({ victim }: Flight, result: CancelResult, what: string): void {
    const { running } = this.#world.platform;
    const final = this.#finals.find(({ slot, generation }) => `${slot}:${generation}` === victim);
    const isInFlight = this.#flights.get(victim)?.some(({ event }) => event === running) ?? false;
    if (isInFlight) this.#violation(`G7: ${what} is done, but ${victim} is still in flight`);
    if (result === CancelResult.Won && final && final.status !== Status.Cancelled)
      this.#violation(`G7: ${what} won, but ${victim} ended with ${Status[final.status]}`);
  }

  /** A completion that is nobody's any more, or never was. */
  #forge(at: number): void {
    const old = this.#finals.length > 0 && this.#random.chance(0.7) ? this.#random.pick(this.#finals) : undefined;
    const view = new DataView(this.#exports.memory.buffer, at, COMPLETION_BYTES);
    for (let offset = 0; offset < COMPLETION_BYTES; offset += 4) view.setUint32(offset, 0, true);
    view.setUint32(COMPLETION_TOKEN_SLOT, old?.slot ?? this.#random.between(0, 0x7fff_ffff), true);
    view.setUint32(COMPLETION_TOKEN_GENERATION, old?.generation ?? this.#random.between(0, 0x7fff_ffff), true);
    view.setInt32(COMPLETION_STATUS, this.#random.pick([Status.Ok, Status.Network, -1000]), true);
    view.setUint32(COMPLETION_AUXILIARY, 200, true);
    this.#trace.line(() => `  forged ${old ? `${old.slot}:${old.generation} again` : "one of nobody"}`);
  }

  // Memory.

  /** A copy of the memory, in an array of an earlier one if that is large enough. */
  #copy(earlier: Uint32Array | undefined): Uint32Array | undefined {
    if (!this.#options.comparing || !this.#exports) return undefined;
    const words = new Uint32Array(this.#exports.memory.buffer);
    if (earlier?.length !== words.length) return words.slice();
    earlier.set(words);
    return earlier;
  }

  /** Finds what was written outside the ranges, which are words. */
  #compare(before: Uint32Array, ranges: readonly Range[], what: string): void {
    const after = new Uint32Array(this.#exports.memory.buffer);
    const sorted = ranges.toSorted((a, b) => a[0] - b[0]);
    let at = 0;
    for (const [start, end] of [...sorted, [before.length, before.length] as const]) {
      for (; at < start && at < before.length; at++)
        if (before[at] !== after[at]) return this.#violation(`G5: ${what} wrote at ${at * 4}, where it must not`);
      at = Math.max(at, end);
    }
  }

  // Reports.

  get #title(): string {
    return this.#world.platform.running?.name ?? "nobody";
  }

  #violation(what: string): void {
    this.#world.platform.violations.push(what);
  }

  unfinished(events: ReadonlySet<PlatformEvent>): string[] {
    return [...this.#flights].flatMap(([token, flights]) =>
      flights
        .filter(({ event }) => event && events.has(event))
        .map(({ event, opcode }) => `G3: ${nameOf({ opcode } as never)} ${token} of ${event!.name} never completed`),
    );
  }
}

type Range = readonly [start: number, end: number];

/** The words that a call may write. */
function writable(name: string, args: number[], result: number): Range[] {
  if (name !== "poll") return [];
  const [at = 0, , arena = 0, arenaBytes = 0] = args.map((arg) => arg >>> 0);
  // A payload that is too big is told in the first record.
  const records = result < 0 ? 1 : result;
  return [
    [at >>> 2, (at + records * COMPLETION_BYTES) >>> 2],
    [arena >>> 2, Math.ceil((arena + arenaBytes) / 4)],
  ];
}
