// Puppet: a guest whose code is the test's own, so that a test can do at the border what no compiled guest would.
//
// Its memory and the functions that it calls are a real module's; only `run` and `_initialize` are the test's. A
// generator serves a request: what it submits crosses the border at once, and each `yield` ends the turn and gives the
// completions of the next one that has any for it.

import { expect } from "vitest";
import {
  ACCEPT_HEADERS,
  COMPLETION_BYTES,
  EventKind,
  MORE,
  Opcode,
  RECLAIM,
  SUBMISSION_ARGUMENT_0,
  SUBMISSION_BYTES,
  SUBMISSION_DATA,
  SUBMISSION_DEADLINE_MS,
  SUBMISSION_FLAGS,
  SUBMISSION_META,
  SUBMISSION_NAME,
  SUBMISSION_OPCODE,
  SUBMISSION_RESERVED,
  SUBMISSION_RESOURCE,
  SUBMISSION_TOKEN_GENERATION,
  SUBMISSION_TOKEN_SLOT,
} from "../../assembly/abi.ts";
import type { Status } from "../../assembly/abi.ts";
import { Proactor } from "../../src/index.ts";
import type { ErrorReport, ProactorOptions } from "../../src/index.ts";
import { encodePairs } from "../../src/pairs.ts";
import { readCompletion } from "../../src/testing/records.ts";
import type { Pair } from "../../src/pairs.ts";
import { Simulation } from "../../src/testing/index.ts";
import { watBytes } from "../../scripts/wat.ts";
import { guard } from "./border.ts";
import type { Border, Exports } from "./border.ts";

/** Content is put into memory for the call; a range is handed over as it is. */
type Content = string | Uint8Array | { at: number; bytes: number };

/** A submission. A slot and a generation are chosen unless given. */
export interface Submission {
  opcode: number;
  slot?: number;
  generation?: number;
  flags?: number;
  resource?: number;
  deadline?: number;
  name?: Content;
  data?: Content;
  meta?: Content;
  arguments?: readonly number[];
  reserved?: number;
}

export interface Completion {
  slot: number;
  generation: number;
  status: Status;
  flags: number;
  resource: number;
  /** A copy. */
  payload: Uint8Array;
  /** Where the payload lay. */
  at: number;
  auxiliary: number;
}

/** What a puppet does with one request. */
export type Script = (exchange: number, puppet: Puppet, head: Uint8Array) => Iterator<void, void, Completion[]>;

export interface PuppetOptions extends ProactorOptions {
  simulation?: Simulation;
  /** What the module does while it starts; without it, it accepts requests. */
  start?: (puppet: Puppet) => void;
  /** What `run` does; without it, it polls once and hands the completions to the scripts. */
  run?: (puppet: Puppet, budget: number) => number;
  /** False: do not compare memory around each call. */
  memory?: boolean;
  /** Whether to grow the memory between any two steps, which detaches all that the host has seen of it. */
  growing?: boolean;
}

// The puppet's memory: four pages at first.
export const COMPLETIONS = 0x0000;
export const CAPACITY = 256;
export const SUBMISSIONS = 0x2000;
export const ARGUMENTS = 0x10000;
export const ARENA = 0x30000;
export const ARENA_BYTES = 0x10000;
export const MEMORY_BYTES = 0x40000;

const MODULE = `(module
  (import "proactor_v1" "submit" (func $submit (param i32 i32) (result i32)))
  (import "proactor_v1" "poll" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "proactor_v1" "open" (func $open (param i32 i32) (result i32)))
  (import "proactor_v1" "abort" (func $abort (param i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 4)
  (export "submit" (func $submit))
  (export "poll" (func $poll))
  (export "open" (func $open))
  (export "abort" (func $abort))
  (func (export "_initialize"))
  (func (export "run") (param i32) (result i32) (i32.const 0)))`;

interface Border4 extends Exports {
  submit(at: number, count: number): number;
  poll(at: number, capacity: number, arena: number, arenaBytes: number): number;
  open(at: number, length: number): number;
  abort(...args: number[]): never;
}

interface Running {
  steps: Iterator<void, void, Completion[]>;
}

/** One instance of the module. */
export class Puppet {
  static readonly ACCEPT_SLOT = 0;
  readonly memory: WebAssembly.Memory;
  /** The imports, as the module calls them. */
  readonly imports: Border4;
  /** Completions that answered nothing that a script has submitted. */
  readonly strays: Completion[] = [];
  readonly #owners = new Map<string, Running>();
  readonly #waiting = new Map<Running, Completion[]>();
  #current: Running | undefined;
  /** The tokens under which requests may come. */
  readonly #accepts = new Set<string>();
  #nextSlot = 1;
  #aborting = false;
  #argumentsAt = ARGUMENTS;

  constructor(
    exports: Exports,
    private readonly options: PuppetOptions,
    private readonly scripts: Script[],
    private readonly failures: unknown[],
  ) {
    this.imports = exports as Border4;
    this.memory = exports.memory;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  #grow(): void {
    if (this.options.growing) this.memory.grow(1);
  }

  start(): void {
    if (this.options.start) this.options.start(this);
    else this.accept();
  }

  accept(): void {
    this.submit({
      opcode: Opcode.Accept,
      flags: ACCEPT_HEADERS,
      slot: Puppet.ACCEPT_SLOT,
      generation: 1,
      arguments: [EventKind.Fetch],
    });
  }

  run(budget: number): number {
    this.#aborting = false;
    try {
      if (this.options.run) return this.options.run(this, budget);
      const completions = this.poll(Math.min(budget, CAPACITY));
      this.dispatch(completions);
      return completions.length;
    } catch (error) {
      if (!this.#aborting) this.failures.push(error);
      throw error;
    }
  }

  // The imports.

  /** Submits all in one call. Returns how many were admitted, or a negative status. */
  submit(...submissions: Submission[]): number {
    this.#grow();
    this.#argumentsAt = ARGUMENTS;
    submissions.forEach((submission, index) => this.write(submission, SUBMISSIONS + index * SUBMISSION_BYTES));
    const admitted = this.imports.submit(SUBMISSIONS, submissions.length);
    this.#grow();
    return admitted;
  }

  /** Polls into the puppet's own places. Fails if the host refuses. */
  poll(capacity: number = CAPACITY, arenaBytes: number = ARENA_BYTES): Completion[] {
    this.#grow();
    const count = this.imports.poll(COMPLETIONS, capacity, ARENA, arenaBytes);
    expect(count, "poll").toBeGreaterThanOrEqual(0);
    const completions = Array.from({ length: count }, (_, index) => this.read(COMPLETIONS + index * COMPLETION_BYTES));
    this.#grow();
    return completions;
  }

  open(name: string): number {
    const bytes = new TextEncoder().encode(name);
    this.bytes.set(bytes, ARGUMENTS);
    return this.imports.open(ARGUMENTS, bytes.length);
  }

  /** Traps on purpose. */
  abort(message = "on purpose", file = "puppet.ts", line = 1, column = 2): never {
    return this.trap(...this.#place(message), ...this.#place(file), line, column);
  }

  /** Calls `abort` with any numbers. */
  trap(...args: number[]): never {
    this.#aborting = true;
    return this.imports.abort(...args);
  }

  // Records.

  write(submission: Submission, at: number): void {
    const { slot = this.#nextSlot++, generation = 1 } = submission;
    if (submission.opcode === Opcode.Accept) this.#accepts.add(`${slot}:${generation}`);
    if (this.#current) this.#owners.set(`${slot}:${generation}`, this.#current);
    const view = this.view;
    const word = (offset: number, value: number): void => view.setUint32(at + offset, value, true);
    this.bytes.fill(0, at, at + SUBMISSION_BYTES);
    word(SUBMISSION_TOKEN_SLOT, slot);
    word(SUBMISSION_TOKEN_GENERATION, generation);
    view.setUint16(at + SUBMISSION_OPCODE, submission.opcode, true);
    view.setUint16(at + SUBMISSION_FLAGS, submission.flags ?? 0, true);
    word(SUBMISSION_RESOURCE, submission.resource ?? 0);
    word(SUBMISSION_DEADLINE_MS, submission.deadline ?? 0);
    for (const [offset, content] of [
      [SUBMISSION_NAME, submission.name],
      [SUBMISSION_DATA, submission.data],
      [SUBMISSION_META, submission.meta],
    ] as const) {
      const [pointer, bytes] = this.#place(content ?? "");
      word(offset, pointer);
      word(offset + 4, bytes);
    }
    (submission.arguments ?? []).forEach((value, index) => word(SUBMISSION_ARGUMENT_0 + index * 4, value));
    word(SUBMISSION_RESERVED, submission.reserved ?? 0);
  }

  #place(content: Content): [at: number, bytes: number] {
    if (typeof content === "string") return this.#place(new TextEncoder().encode(content));
    if (!(content instanceof Uint8Array)) return [content.at, content.bytes];
    const at = this.#argumentsAt;
    this.#argumentsAt += content.length;
    this.bytes.set(content, at);
    return [at, content.length];
  }

  read(at: number): Completion {
    const { payload, ...words } = readCompletion(this.memory.buffer, at);
    const [payloadAt, bytes] = payload;
    return { ...words, payload: this.bytes.slice(payloadAt, payloadAt + bytes), at: payloadAt };
  }

  // Scripts.

  /** Hands completions to the scripts that wait for them. */
  dispatch(completions: readonly Completion[]): void {
    for (const completion of completions) {
      if (completion.flags & RECLAIM) {
        this.#owners.delete(tokenOf(completion));
        continue;
      }
      if (completion.flags & MORE && this.#accepts.has(tokenOf(completion))) {
        const script = this.scripts.shift();
        if (!script) throw new Error("puppet: a request came that no script serves");
        const steps = script(completion.resource, this, completion.payload);
        this.#waiting.set({ steps }, []);
        continue;
      }
      this.#accepts.delete(tokenOf(completion));
      const owner = this.#owners.get(tokenOf(completion));
      if (!owner) {
        this.strays.push(completion);
        continue;
      }
      if (!(completion.flags & MORE)) this.#owners.delete(tokenOf(completion));
      this.#waiting.set(owner, [...(this.#waiting.get(owner) ?? []), completion]);
    }
    for (const [script, taken] of this.#waiting) {
      this.#waiting.delete(script);
      this.#current = script;
      try {
        script.steps.next(taken);
      } finally {
        this.#current = undefined;
      }
    }
  }
}

function tokenOf({ slot, generation }: Completion): string {
  return `${slot}:${generation}`;
}

/** A proactor whose guest is a puppet. */
export class Stage {
  readonly #scripts: Script[];
  readonly #failures: unknown[];

  constructor(
    readonly proactor: Proactor,
    readonly simulation: Simulation,
    readonly border: Border,
    readonly reports: ErrorReport[],
    readonly puppets: Puppet[],
    scripts: Script[],
    failures: unknown[],
  ) {
    this.#scripts = scripts;
    this.#failures = failures;
  }

  /** Lets `script` serve a request that somebody else sends. Requests are served in the order in which they come. */
  expecting(script: Script): void {
    this.#scripts.push(script);
  }

  /** Sends a request that `script` serves, without waiting for the answer. */
  send(script: Script, request: Request = new Request("http://puppet.test/")): Promise<Response> {
    this.expecting(script);
    return this.proactor.fetch(request);
  }

  /** Sends a request and lets time pass until it is answered. What the script throws is thrown here. */
  async serve(script: Script, request?: Request): Promise<Response> {
    const response = await this.simulation.run(this.send(script, request));
    this.rethrow();
    return response;
  }

  /** Lets time pass until nothing is armed any more. */
  async settle(): Promise<void> {
    await this.simulation.settle();
    this.rethrow();
  }

  /** Throws what a script has thrown. */
  rethrow(): void {
    if (this.#failures.length > 0) throw this.#failures[0];
  }
}

/** Starts a puppet; reports of the host are collected. */
export async function puppet(options: PuppetOptions = {}): Promise<Stage> {
  const simulation = options.simulation ?? new Simulation({ delay: [10, 10] });
  const module = new WebAssembly.Module(await watBytes(MODULE));
  const [scripts, puppets, failures, reports]: [Script[], Puppet[], unknown[], ErrorReport[]] = [[], [], [], []];
  const border = guard(module, {
    memory: options.memory ?? true,
    exports: (exports) => {
      const instance = new Puppet(exports, options, scripts, failures);
      puppets.push(instance);
      return { _initialize: () => instance.start(), run: (budget) => instance.run(budget) };
    },
  });
  const { resources, isolation, limits, clock = simulation.clock } = options;
  const { onError = (report) => void reports.push(report) } = options;
  const proactor = new Proactor(module, { resources, isolation, limits, clock, onError });
  return new Stage(proactor, simulation, border, reports, puppets, scripts, failures);
}

// Submissions that many tests make.

export const noop = (): Submission => ({ opcode: Opcode.Noop });

export const timer = (ms: number, deadline = 0): Submission => ({ opcode: Opcode.Timer, arguments: [ms], deadline });

export const cancel = (slot: number, generation = 1): Submission => ({
  opcode: Opcode.Cancel,
  arguments: [slot, generation],
});

export const close = (resource: number): Submission => ({ opcode: Opcode.Close, resource });

export const read = (resource: number, bytesMax = 0): Submission => ({
  opcode: Opcode.Read,
  resource,
  arguments: [bytesMax],
});

export const respond = (exchange: number, status = 200, data: Content = ""): Submission => ({
  opcode: Opcode.Respond,
  resource: exchange,
  data,
  arguments: [status],
});

export const get = (store: number, key: Content): Submission => ({ opcode: Opcode.KvGet, resource: store, name: key });

export const put = (store: number, key: Content, value: Content): Submission => ({
  opcode: Opcode.KvPut,
  resource: store,
  name: key,
  data: value,
});

export const fetch = (origin: number, url: string, method = "GET", headers: Pair[] = []): Submission => ({
  opcode: Opcode.Fetch,
  resource: origin,
  meta: encodePairs([[method, url], ...headers]),
});

/** Streams the body that the host holds as `source`. */
export const stream = (exchange: number, source: number, flags = 0): Submission => ({
  opcode: Opcode.Respond,
  resource: exchange,
  arguments: [200, source],
  flags,
});

/** Sends the body that the host holds as `source` on. */
export const post = (origin: number, url: string, source: number): Submission =>
  Object.assign(fetch(origin, url, "POST"), { arguments: [0, 0, source] });

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
