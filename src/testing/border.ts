// Border: stands between a guest and its host. It writes everything down, looks whether both keep the contract, and does
// what a fair host would not: it grows the memory, calls `run` too early, brings completions that nobody expects.

import { COMPLETION_BYTES, Status } from "../../assembly/abi.ts";
import { Ledger } from "./ledger.ts";
import type { LedgerOptions } from "./ledger.ts";
import type { PlatformEvent } from "./platform.ts";
import type { Random } from "./random.ts";
import { operationOf, readCompletion, readSubmissions, tokenOf, writeCompletion } from "./records.ts";
import type { CompletionRecord, SubmissionRecord } from "./records.ts";
import type { Simulation } from "./simulation.ts";
import type { Trace } from "./trace.ts";

interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  run(budget: number): number;
  __collect?(): void;
}

type Import = (...args: number[]) => number;

/** In words. */
type Range = readonly [start: number, end: number];

/** Pages that memory grows by at most in an instance: growth is what is tested, not size. */
const GROWN_PAGES_MAX = 16;
/** Of the completions that nobody expects, so many are duplicates. */
const DUPLICATES = 0.7;

export interface BorderOptions extends LedgerOptions {
  world: Simulation;
  trace: Trace;
  /** Decides what the border does by itself. */
  random: Random;
  /** Whether memory is compared around each call, which takes most of the time. */
  comparing: boolean;
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
    return this.#instances.flatMap(({ ledger }) => ledger.unfinished(events));
  }
}

class InstanceBorder {
  readonly ledger: Ledger;
  readonly #world: Simulation;
  readonly #trace: Trace;
  readonly #random: Random;
  readonly #comparing: boolean;
  readonly #number: number;
  #exports!: Exports;
  /** The import that is being called. */
  #inside = "";
  #isRunning = false;
  #isNested = false;
  /** Completions that this turn may still bring. */
  #left = 0;
  #grownPages = 0;
  /** The memory as the guest has left it, and as it was before the last call of an import. */
  #kept: Uint32Array | undefined;
  #before: Uint32Array | undefined;

  constructor(options: BorderOptions, number: number) {
    this.ledger = new Ledger(options.world, options);
    this.#world = options.world;
    this.#trace = options.trace;
    this.#random = options.random;
    this.#comparing = options.comparing;
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

  #violation(what: string): void {
    this.#world.platform.violations.push(what);
  }

  #strikes(fault: "growth" | "collection" | "forged" | "nestedRun"): boolean {
    const probability = this.#world.faults[fault];
    return probability > 0 && this.#random.chance(probability);
  }

  // Calls of exports.

  #enter(name: "_initialize" | "run", budget: number, call: () => number): number {
    const { clock, platform } = this.#world;
    const now = clock.now();
    this.#trace.numbers(now, this.#number, budget);
    this.#trace.line(() => {
      const whom = platform.running?.name ?? "nobody";
      return `${now} ms: ${name}(${budget || ""}) of instance ${this.#number}, for ${whom}`;
    });
    if (this.#inside) this.#violation(`G2: ${this.#inside} called ${name}`);
    if (this.#kept) this.#compare(this.#kept, [], `what came before ${name}`);
    this.#isRunning = name === "run";
    this.#left = budget;
    if (this.#isRunning && this.#exports.__collect && this.#strikes("collection")) this.#exports.__collect();
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
      const [at = 0, count = 0] = args;
      const isSubmit = isOfContract && name === "submit";
      const submissions = isSubmit ? readSubmissions(this.#exports.memory.buffer, at, count) : [];
      this.#maybeGrow();
      if (name !== "abort") this.#maybeNest();
      if (isOfContract) this.#before = this.#copy(this.#before);
      let result = this.#call(name, call, args);
      if (isOfContract && this.#before) this.#compare(this.#before, writable(name, args, result), name);
      this.#maybeGrow();
      if (isSubmit) this.#submitted(submissions, result);
      if (isOfContract && name === "poll") result = this.#polled(at >>> 0, count >>> 0, result);
      this.#trace.numbers(result ?? 0);
      return result;
    };
  }

  #call(name: string, call: Import, args: number[]): number {
    this.#inside = name;
    try {
      return call(...args);
    } finally {
      this.#inside = "";
    }
  }

  #maybeGrow(): void {
    if (this.#grownPages >= GROWN_PAGES_MAX || !this.#strikes("growth")) return;
    this.#grownPages++;
    try {
      this.#exports.memory.grow(1);
    } catch {
      // The module has set itself a limit.
    }
  }

  #maybeNest(): void {
    if (!this.#isRunning || !this.#strikes("nestedRun")) return;
    this.#isNested = true;
    const result = this.#exports.run(1);
    this.#isNested = false;
    if (result !== Status.Again) this.#violation(`G2: a nested run answered ${result}`);
  }

  // What crosses.

  #submitted(records: readonly SubmissionRecord[], admitted: number): void {
    for (const [index, record] of records.entries()) {
      const { slot, generation, opcode, flags, resource, deadlineMs, ranges } = record;
      this.#trace.numbers(slot, generation, opcode, flags, resource, deadlineMs, ...record.arguments);
      for (const range of ranges) this.#traceRange(range);
      this.#trace.line(() => {
        const deadline = deadlineMs ? `, ${deadlineMs} ms` : "";
        const refused = index < admitted ? "" : ", refused";
        const [argument0, argument1] = record.arguments;
        return `  submit ${operationOf(opcode)} ${tokenOf(record)} (${argument0}, ${argument1})${deadline}${refused}`;
      });
      if (index < admitted) this.ledger.admit(record, this.#isRunning ? this.#world.platform.running : undefined);
    }
  }

  #polled(at: number, capacity: number, count: number): number {
    const { buffer } = this.#exports.memory;
    for (let index = 0; index < count; index++) {
      const record = readCompletion(buffer, at + index * COMPLETION_BYTES);
      this.#traceCompletion(record);
      this.ledger.deliver(record);
    }
    // A payload that is too big counts too.
    this.#left -= count === Status.TooBig ? 1 : Math.max(0, count);
    if (this.#isRunning && this.#left < 0)
      this.#violation(`G11: a turn brought ${-this.#left} completions over its budget`);
    if (count <= 0 || count >= capacity || !this.#strikes("forged")) return count;
    this.#forge(at + count * COMPLETION_BYTES);
    return count + 1;
  }

  /** A completion that is nobody's any more, or never was. */
  #forge(at: number): void {
    const { finals } = this.ledger;
    const isDuplicate = finals.length > 0 && this.#random.chance(DUPLICATES);
    const [slot, generation] = [this.#random.between(0, 0x7fff_ffff), this.#random.between(0, 0x7fff_ffff)];
    const token = isDuplicate ? this.#random.pick(finals) : { slot, generation };
    const status = this.#random.pick([Status.Ok, Status.Network, -1000]);
    writeCompletion(this.#exports.memory.buffer, at, token, status);
    this.#trace.line(() => `  forged ${tokenOf(token)}${isDuplicate ? ", once more" : ""}`);
  }

  // The trace.

  #traceCompletion(record: CompletionRecord): void {
    const { slot, generation, status, flags, resource, auxiliary, payload } = record;
    this.#trace.numbers(slot, generation, status, flags, resource, auxiliary);
    // The wording of a failure is the engine's.
    if (status >= 0) this.#traceRange(payload);
    this.#trace.line(() => {
      const numbers = `${payload[1]} bytes, flags ${flags}, auxiliary ${auxiliary}`;
      return `  poll ${tokenOf(record)} ${Status[status] ?? status}, ${numbers}`;
    });
  }

  #traceRange([at, length]: readonly [number, number]): void {
    const { buffer } = this.#exports.memory;
    const isInside = length <= buffer.byteLength && at <= buffer.byteLength - length;
    if (isInside) this.#trace.bytes(new Uint8Array(buffer, at, length));
  }

  // Memory.

  /** A copy of the memory, in the array of an earlier one if that is as large. */
  #copy(earlier: Uint32Array | undefined): Uint32Array | undefined {
    if (!this.#comparing || !this.#exports) return undefined;
    const words = new Uint32Array(this.#exports.memory.buffer);
    if (earlier?.length !== words.length) return words.slice();
    earlier.set(words);
    return earlier;
  }

  /** Finds what was written outside the ranges. */
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
}

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
