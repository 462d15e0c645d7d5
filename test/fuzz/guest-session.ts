// Guest session: a host that forges completions, against a compiled guest, and a model of the guest's handler table
// that says what must become of each.
//
// The model foretells every token that the guest gives out, every handler that is called and every submission that is
// made. A table that was corrupted anywhere gives itself away by the next token.

import {
  COMPLETION_BYTES,
  CancelResult,
  DETACHED,
  MORE,
  Opcode,
  PAYLOAD_ALIGNMENT,
  RECLAIM,
  SUBMISSION_BYTES,
  Status,
} from "../../assembly/abi.ts";
import { bytesOf } from "./dice.ts";
import type { Forged, GuestScript, GuestStep, TokenRef } from "./guest-script.ts";
import type { Outcome } from "./host-session.ts";

/** What the guest library takes in one call. */
const COMPLETIONS = 256;
/** What it hands over in one call. */
const SUBMISSIONS = 64;
const PROBES = 4096;
/** More than any honest payload of a session makes it grow to. */
const MEMORY_BYTES_MAX = 8 * 1024 * 1024;

/** As in test/guest/fuzz.ts. */
const Kind = { Noop: 0, Chain: 7, Throw: 8 } as const;
const OPCODES = [
  Opcode.Noop,
  Opcode.Timer,
  Opcode.Fetch,
  Opcode.KvGet,
  Opcode.KvList,
  Opcode.Read,
  Opcode.Accept,
  Opcode.Noop,
  Opcode.Noop,
];
const RESOURCES = [0, 0, 1, 1, 1, 1, 0, 0, 0];
/** An arena that a session may make the guest grow to. */
const DEMAND_MAX = 1_000_000;

interface GuestExports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  run(budget: number): number;
  start(kind: number, id: number): void;
  cancelToken(slot: number, generation: number): number;
  readPayloads(on: number): void;
  handledOf(id: number): number;
  statusOf(id: number): number;
  stale(): number;
  inFlight(): number;
}

interface Token {
  readonly slot: number;
  readonly generation: number;
}

/** A slot that is in use. */
interface Used extends Token {
  /** The handler's; undefined where nobody waits. */
  readonly id: number | undefined;
  readonly kind: number;
  isCancelled: boolean;
  isRefused: boolean;
}

class Violation extends Error {}
class GuestAbort extends Error {}

export class GuestSession {
  readonly #script: GuestScript;
  readonly #exports: GuestExports;
  cases = 0;
  // The model.
  readonly #used = new Map<number, Used>();
  /** The present ones, by slot; slot 0 is nobody's. */
  readonly #generations = [0];
  readonly #free: number[] = [];
  readonly #ended: Token[] = [];
  /** Those that the host has refused, and that have not heard of it. */
  readonly #refused: Used[] = [];
  #stale = 0;
  readonly #handled = new Map<number, readonly [count: number, status: number]>();
  /** Submissions of this step, as they must be and as they are; those up to `flushed` have crossed. */
  readonly #expected: { used: Used; text: string }[] = [];
  readonly #submissions: string[] = [];
  #flushed = 0;
  // What the host is about to do.
  #refusals: readonly number[] = [];
  #batch: readonly (Forged & Token)[] = [];
  #taken = 0;
  #demand: number | undefined;
  #lie: number | undefined;

  constructor(script: GuestScript, module: WebAssembly.Module) {
    this.#script = script;
    const abort = (): never => {
      throw new GuestAbort();
    };
    const functions = { submit: this.#submit, poll: this.#poll, open: () => 1, abort };
    const instance = new WebAssembly.Instance(module, { proactor_v1: functions });
    this.#exports = instance.exports as unknown as GuestExports;
  }

  play(): Outcome {
    let violation: string | undefined;
    try {
      this.#exports._initialize();
      this.#exports.readPayloads(this.#script.payloads === "ignored" ? 0 : 1);
      const hasEnded = this.#script.steps.some((step) => !this.#step(step));
      if (!hasEnded) this.#end();
    } catch (error) {
      violation = error instanceof Violation ? error.message : (error as Error).stack;
    }
    return { cases: this.cases, violation };
  }

  #fail(message: string): never {
    throw new Violation(message);
  }

  /** A list that lies makes its reader look elsewhere in its own memory, and may lead it out of it. */
  get #mayTrap(): boolean {
    return this.#script.payloads === "malformed";
  }

  // Steps. False: the guest has trapped, and may not be called again.

  #step(step: GuestStep): boolean {
    this.#refusals = step.refused ?? [];
    switch (step.do) {
      case "start":
        for (const kind of step.kinds) this.#start(kind);
        return true;
      case "cancel":
        this.#cancel(step.token);
        return true;
      default:
        return this.#run(step);
    }
  }

  #start(kind: number): void {
    const id = this.#handled.size;
    if (id === PROBES) return;
    this.cases++;
    this.#handled.set(id, [0, 1]);
    this.#expect(this.#claim(kind, id), OPCODES[kind]!, RESOURCES[kind]!);
    this.#call(() => this.#exports.start(kind, id));
  }

  #cancel(reference: TokenRef): void {
    this.cases++;
    const { slot, generation } = this.#resolve(reference);
    const result = this.#cancelResult(slot, generation);
    const used = this.#used.get(slot);
    if (result === CancelResult.Won && !used!.isCancelled) {
      used!.isCancelled = true;
      this.#expect(this.#claim(Kind.Noop, undefined), Opcode.Cancel, 0);
    }
    let answer: number | undefined;
    this.#call(() => (answer = this.#exports.cancelToken(slot, generation)));
    if (answer !== result) this.#fail(`cancel(${slot}:${generation}) gave ${answer}, not ${result}`);
  }

  #cancelResult(slot: number, generation: number): CancelResult {
    const present = this.#generations[slot];
    if (present === undefined || slot === 0 || generation === 0) return CancelResult.Unknown;
    if (generation < present) return CancelResult.TooLate;
    return generation === present && this.#used.has(slot) ? CancelResult.Won : CancelResult.Unknown;
  }

  /** Calls the guest outside of a turn: all that it submits crosses at once. */
  #call(call: () => void): void {
    call();
    this.#flush();
    this.#checkSubmissions();
  }

  #run({ budget, completions, demand, count }: Omit<Extract<GuestStep, { do: "run" }>, "do">): boolean {
    this.#batch = completions.map((forged) => ({ ...forged, ...this.#resolve(forged.token) }));
    this.#taken = 0;
    this.#demand = demand;
    this.#lie = count;
    let result: number | undefined;
    try {
      result = this.#exports.run(budget);
    } catch (error) {
      if (error instanceof Violation) throw error;
      if (!(error instanceof GuestAbort || this.#mayTrap)) throw error;
    }
    this.cases += Math.max(1, this.#taken);
    if (result === undefined && this.#mayTrap) return false;
    const expected = budget > 0 ? this.#turn() : Status.Invalid;
    if (result !== expected) this.#fail(`run(${budget}) gave ${result}, not ${expected}`);
    this.#checkSubmissions();
    // After an abort the next turn cleans up, whatever it is for. No export but `run` is called before.
    if (result === undefined) return this.#run({ budget: COMPLETIONS, completions: [] });
    this.#checkCounts();
    return true;
  }

  /** Ends everything that is in flight; after that the guest must be as good as new. */
  #end(): void {
    this.#refusals = [];
    while (this.#used.size > 0) {
      const tokens = [...this.#used.values()].slice(0, COMPLETIONS);
      const completions = tokens.map(({ slot, generation }): Forged => ({
        token: { of: "nobody", slot, generation },
        status: Status.Cancelled,
      }));
      if (!this.#run({ budget: COMPLETIONS, completions })) return;
    }
    this.#step({ do: "start", kinds: [0] });
    this.#run({ budget: COMPLETIONS, completions: [{ token: { of: "live", index: 0 } }] });
    if (this.#exports.inFlight() !== 0)
      this.#fail(`${this.#exports.inFlight()} operations are in flight after the end`);
    const { byteLength } = this.#exports.memory.buffer;
    if (byteLength > MEMORY_BYTES_MAX && !this.#mayTrap) this.#fail(`the memory has grown to ${byteLength} bytes`);
  }

  #resolve(reference: TokenRef): Token {
    if (reference.of === "nobody") return reference;
    const { slot, generation } = this.#pick(reference.of, reference.index);
    return { slot, generation: (generation + (reference.by ?? 0)) >>> 0 };
  }

  #pick(of: "live" | "ended" | "next" | "refused", index: number): Token {
    if (of === "next") {
      const place = index % 4;
      const slot = this.#free.at(-1 - place) ?? this.#generations.length + place - this.#free.length;
      return { slot, generation: this.#generations[slot] ?? 1 };
    }
    const live = (): Used[] => [...this.#used.values()].filter(({ isRefused }) => !isRefused);
    const tokens = of === "live" ? live() : of === "ended" ? this.#ended : this.#refused;
    return tokens[index % tokens.length] ?? { slot: 0, generation: 0 };
  }

  // The imports.

  readonly #submit = (at: number, count: number): number => {
    const words = new Uint32Array(this.#exports.memory.buffer, at, (count * SUBMISSION_BYTES) / 4);
    for (let index = 0; index < count; index++) {
      const [slot, generation, opcodeAndFlags, resource] = words.subarray((index * SUBMISSION_BYTES) / 4);
      const isDetached = ((opcodeAndFlags! >>> 16) & DETACHED) !== 0;
      this.#submissions.push(describe(slot!, generation!, opcodeAndFlags! & 0xffff, resource!, isDetached));
      if (this.#refusals.includes(this.#submissions.length - 1)) return index;
    }
    return count;
  };

  readonly #poll = (at: number, capacity: number, arena: number, arenaBytes: number): number => {
    const { buffer } = this.#exports.memory;
    const records = new Uint32Array(buffer, at, (capacity * COMPLETION_BYTES) / 4);
    if (this.#demand !== undefined) {
      records[6] = Math.min(this.#demand, DEMAND_MAX);
      this.#demand = undefined;
      return Status.TooBig;
    }
    if (this.#lie !== undefined) return this.#lie;
    let free = arena;
    for (; this.#taken < Math.min(capacity, this.#batch.length); this.#taken++) {
      const {
        slot,
        generation,
        status = 0,
        flags = 0,
        resource = 0,
        auxiliary = 0,
        payload = "",
        lie,
      } = this.#batch[this.#taken]!;
      const start = Math.ceil(free / PAYLOAD_ALIGNMENT) * PAYLOAD_ALIGNMENT;
      if (start + payload.length > arena + arenaBytes) break;
      records.set([slot, generation, status, flags, resource, start, payload.length, auxiliary], this.#taken * 8);
      const bytes = new Uint8Array(buffer, start, payload.length);
      bytes.set(bytesOf(payload));
      if (lie) new Uint32Array(buffer, start)[lie[0]] = lie[1];
      free = start + payload.length;
    }
    return this.#taken;
  };

  // The model. It does what assembly/proactor.ts promises, with maps and lists.

  /** What `run` must return; undefined if a handler must have aborted. */
  #turn(): number | undefined {
    if (this.#lie !== undefined) {
      this.#recover([]);
      return undefined;
    }
    for (let index = 0; index < this.#taken; index++) {
      if (this.#dispatch(this.#batch[index]!)) continue;
      this.#recover(this.#batch.slice(index + 1, this.#taken));
      return undefined;
    }
    this.#flush();
    while (this.#refused.length > 0) {
      for (let left = this.#refused.length; left > 0; left--) {
        if (this.#deliver(this.#refused.shift()!, { status: Status.Again, flags: 0, resource: 0 })) continue;
        this.#recover([]);
        return undefined;
      }
      this.#flush();
    }
    return this.#taken;
  }

  #isLive({ slot, generation }: Token): boolean {
    const used = this.#used.get(slot);
    if (used?.generation === generation && !used.isRefused) return true;
    this.#stale++;
    return false;
  }

  /** False: the handler aborts. */
  #dispatch({ slot, generation, status = 0, flags = 0, resource = 0 }: Token & Forged): boolean {
    if (!this.#isLive({ slot, generation })) {
      this.#dispose(resource);
      return true;
    }
    const used = this.#used.get(slot)!;
    if (flags & RECLAIM) {
      this.#release(used);
      return true;
    }
    return this.#deliver(used, { status, flags, resource });
  }

  #deliver(used: Used, { status, flags, resource }: { status: number; flags: number; resource: number }): boolean {
    if (!(flags & MORE)) this.#release(used);
    if (used.isCancelled) this.#dispose(resource);
    if (used.id === undefined) return true;
    const [count] = this.#handled.get(used.id)!;
    this.#handled.set(used.id, [count + 1, used.isCancelled ? Status.Cancelled : status | 0]);
    if (used.kind === Kind.Chain) this.#expect(this.#claim(Kind.Noop, undefined), Opcode.Noop, 0);
    return used.kind !== Kind.Throw;
  }

  #dispose(resource: number): void {
    if (resource !== 0) this.#expect(this.#claim(Kind.Noop, undefined), Opcode.Close, resource);
  }

  /** What the next turn does after an abort. */
  #recover(rest: readonly (Token & Forged)[]): void {
    const unsent = this.#expected.splice(this.#flushed).filter(({ used }) => this.#isLive(used));
    for (const used of this.#refused.splice(0)) this.#release(used);
    for (const { used } of unsent) this.#release(used);
    for (const completion of rest) {
      if ((completion.flags ?? 0) & MORE || !this.#isLive(completion)) continue;
      this.#release(this.#used.get(completion.slot)!);
    }
  }

  #claim(kind: number, id: number | undefined): Used {
    const slot = this.#free.pop() ?? this.#generations.push(1) - 1;
    const used = { slot, generation: this.#generations[slot]!, kind, id, isCancelled: false, isRefused: false };
    this.#used.set(slot, used);
    return used;
  }

  #release({ slot, generation }: Token): void {
    this.#used.delete(slot);
    this.#free.push(slot);
    this.#generations[slot] = Math.max(1, (generation + 1) >>> 0);
    this.#ended.push({ slot, generation });
  }

  /** A submission that the guest must make. Full queues cross at once. */
  #expect(used: Used, opcode: number, resource: number): void {
    this.#expected.push({ used, text: describe(used.slot, used.generation, opcode, resource, used.id === undefined) });
    if (this.#expected.length - this.#flushed === SUBMISSIONS) this.#flush();
  }

  #flush(): void {
    for (; this.#flushed < this.#expected.length; this.#flushed++) {
      const { used } = this.#expected[this.#flushed]!;
      // It may have ended, if the host has foreseen its token.
      if (!this.#refusals.includes(this.#flushed) || !this.#isLive(used)) continue;
      used.isRefused = true;
      this.#refused.push(used);
    }
  }

  // What the guest did.

  #checkSubmissions(): void {
    const expected = this.#expected.splice(0).map(({ text }) => text);
    const actual = this.#submissions.splice(0);
    this.#flushed = 0;
    const index = expected.findIndex((text, place) => text !== actual[place]);
    if (index >= 0) this.#fail(`submitted ${actual[index]}, not ${expected[index]}`);
    if (actual.length > expected.length) this.#fail(`submitted ${actual[expected.length]}, which nobody asked for`);
  }

  #checkCounts(): void {
    const { stale, inFlight, handledOf, statusOf } = this.#exports;
    if (stale() !== this.#stale) this.#fail(`${stale()} completions were stale, not ${this.#stale}`);
    if (inFlight() !== this.#used.size) this.#fail(`${inFlight()} operations are in flight, not ${this.#used.size}`);
    for (const [id, [count, status]] of this.#handled) {
      if (handledOf(id) !== count) this.#fail(`handler ${id} was called ${handledOf(id)} times, not ${count}`);
      if (statusOf(id) !== status) this.#fail(`handler ${id} saw status ${statusOf(id)}, not ${status}`);
    }
  }
}

function describe(slot: number, generation: number, opcode: number, resource: number, isDetached: boolean): string {
  return `${Opcode[opcode] ?? opcode} ${slot}:${generation} of resource ${resource}${isDetached ? ", detached" : ""}`;
}
