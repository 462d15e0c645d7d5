// Stage: the real guest and the real host, with the model in between that hears every word.
//
// The guest asks what to do at each step of each handler; the script of its request or of its operation says so. Only
// what lies outside is played: time is the simulation's, and a call is answered when a command settles it.

import { keepStacks, stack } from "./platform.ts";
import { readFileSync } from "node:fs";
import { COMPLETION_BYTES, DETACHED, MORE, RECLAIM, Status } from "../../assembly/abi.ts";
import { path } from "../../scripts/paths.ts";
import { Proactor, kv } from "../../src/index.ts";
import type { ErrorReport, Grants, Shutdown } from "../../src/index.ts";
import { encodePairs } from "../../src/pairs.ts";
import type { KvStore, OriginGrant } from "../../src/resource.ts";
import type { Clock } from "../../src/deadlines.ts";
import { Simulation } from "../../src/testing/index.ts";
import { readCompletion, readSubmissions, tokenOf as recordToken } from "../../src/testing/records.ts";
import type { SubmissionRecord } from "../../src/testing/records.ts";
import { guard } from "../contract/border.ts";
import type { Border } from "../contract/border.ts";
import { STEP_WORDS, Said, Step } from "../guest/support/step.ts";
import { Context, must } from "./books.ts";
import type { Instance, Operation, Resource, Seen, Submitted } from "./books.ts";
import { Model, reportText, tokenOf } from "./model.ts";
import type { Action, Settings } from "./script.ts";

const ORIGIN = "http://model.test";

/** By runtime. */
const modules = Object.fromEntries(
  ["incremental", "minimal", "stub"].map((runtime) => {
    const suffix = runtime === "incremental" ? "" : `.${runtime}`;
    return [runtime, new WebAssembly.Module(readFileSync(path(`build/test/model${suffix}.wasm`)))];
  }),
) as Record<Settings["runtime"], WebAssembly.Module>;

/** How outside settles a call. */
export type Outcome = "ok" | "missing" | "fails";

/** A call that waits outside. */
interface Call {
  answer(value: unknown): void;
  fail(error: Error): void;
}

type Body = ReadableStreamDefaultController<Uint8Array>;

/** What the host waits for an answer to a roll call: longer than any script's timer. */
const ROLL_CALL_WAIT_MS = 50;

/** An instance as the stage sees it. */
interface Side {
  instance: Instance;
  memory: WebAssembly.Memory;
  /** The steps that the handler has before it. */
  steps: Action[];
  /** What the last step must have come to. */
  expects: ((result: bigint) => void) | undefined;
  /** The payload of the handler's completion, and where it lies. */
  payload: Uint8Array;
  payloadAt: number;
  /** Whether it was told to trap, and how. */
  doomed: "abort" | "trap" | undefined;
}

/** One word of the guest's, and one record of the border. */
const word = (view: DataView, at: number, offset = 0): number => view.getUint32(at + offset, true);

export class Stage {
  readonly model: Model;
  readonly #simulation: Simulation;
  readonly #proactor: Proactor;
  readonly #border: Border;
  readonly #sides: Side[] = [];
  readonly #calls = new Map<number, Call>();
  readonly #bodies = new Map<Resource | Operation, Body>();
  readonly #answers = new Map<Context, string>();
  /** Armed for what is due. */
  readonly #timers = new Map<unknown, Context>();
  #reports: string[] = [];
  #divergence: unknown;
  /** Whether the host is done with its shutdown; undefined without one. */
  #down: boolean | undefined;

  constructor(settings: Settings) {
    const { isolation, runtime, ignoresAbort, watchesMemory, ...limits } = settings;
    const module = modules[runtime];
    this.#simulation = new Simulation({ delay: [0, 0], faults: { abortIgnored: ignoresAbort ? 1 : 0 } });
    const { clock } = this.#simulation;
    keepStacks(clock);
    this.model = new Model(settings, () => clock.now());
    this.#border = this.#guard(module, watchesMemory);
    this.#proactor = new Proactor(module, {
      isolation,
      limits,
      resources: this.#grants(),
      clock: this.#clock(clock),
      onError: (report) => this.#hear((model) => this.#reported(model, report)),
    });
  }

  /** The request on whose stack this is. */
  get #current(): Context | undefined {
    return stack.getStore() as Context | undefined;
  }

  /** The host's clock, which tells the model when it fires. */
  #clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      setTimeout: (callback, ms) => {
        const timer = clock.setTimeout(() => {
          this.#timers.delete(timer);
          if (this.#current) this.#hear((model) => model.timerFires(this.#current!));
          callback();
        }, ms);
        // A roll call waits for what others do, and not for what is due.
        if (ms !== ROLL_CALL_WAIT_MS) this.#timers.set(timer, this.#current!);
        return timer;
      },
      clearTimeout: (timer) => {
        this.#timers.delete(timer);
        clock.clearTimeout(timer);
      },
    };
  }

  /** Tells the model. After the first divergence it hears nothing more: what follows from it says nothing. */
  #hear<T>(tell: (model: Model) => T): T | undefined {
    if (this.#divergence !== undefined) return undefined;
    try {
      return tell(this.model);
    } catch (error) {
      this.#divergence = error;
      return undefined;
    }
  }

  // What commands do.

  /** A request comes, whose handler does these steps. */
  async open(steps: readonly Action[]): Promise<void> {
    const url = `${ORIGIN}/${this.model.contexts.length}`;
    const context = new Context(`POST ${url}`, encodePairs([["POST", url]]), steps);
    const init = { method: "POST", body: this.#body(context.exchange), duplex: "half" } as RequestInit;
    this.#hear((model) => model.open(context));
    stack.run(context, () => {
      const response = this.#proactor.fetch(new Request(url, init), { waitUntil: () => {} });
      void response.then((response) => this.#answered(context, response));
    });
    await this.rest();
  }

  async #answered(context: Context, response: Response): Promise<void> {
    if (response.status >= 500) {
      const { error } = (await response.json()) as { error: string };
      this.#answers.set(context, `${response.status} ${error}`);
    } else if (response.status === 201) {
      this.#answers.set(context, "201");
      await response.body?.cancel();
    } else {
      this.#answers.set(context, `${response.status} ${await response.text()}`);
    }
  }

  /** Outside answers these calls at one moment; the handler of the first does these steps. */
  async settle(
    operations: readonly Operation[],
    outcome: Outcome,
    bytes: number,
    steps: readonly Action[],
  ): Promise<void> {
    if (steps.length > 0) operations[0]!.handler = steps;
    for (const operation of operations) this.#settle(operation, outcome, new Uint8Array(bytes).fill(operation.number));
    await this.rest();
  }

  #settle(operation: Operation, outcome: Outcome, bytes: Uint8Array<ArrayBuffer>): void {
    const { kind, call, number, source } = operation;
    const answer = this.#calls.get(number)!;
    const head: [string, string][] = [["x", `${number}`]];
    if (call === "body") {
      const status = outcome === "ok" ? Status.Ok : Status.Aborted;
      this.#hear((model) => model.settle(operation, status, kind === "page" ? encodePairs(head, bytes) : bytes));
      const body = this.#bodies.get(source ?? operation)!;
      if (status !== Status.Ok) return body.error(new Error("broken"));
      if (bytes.length > 0) body.enqueue(bytes);
      return body.close();
    }
    if (kind === "fetch" || kind === "page") {
      const status = outcome === "ok" ? Status.Ok : Status.Network;
      const body = this.#hear((model) => model.settle(operation, status, encodePairs(head)));
      if (status !== Status.Ok) return answer.fail(new Error("no network"));
      return answer.answer(new Response(this.#body(body ?? operation), { headers: head }));
    }
    const isMissing = kind === "get" && outcome === "missing";
    const status = outcome === "fails" ? Status.RateLimited : isMissing ? Status.NotFound : Status.Ok;
    const payload = kind === "get" ? bytes : kind === "list" ? encodePairs([]) : undefined;
    this.#hear((model) => model.settle(operation, status, payload));
    if (outcome === "fails") answer.fail(new Error("429 Too Many Requests"));
    else if (kind === "get") answer.answer(isMissing ? null : bytes.buffer);
    else answer.answer(kind === "list" ? { keys: [], list_complete: true } : undefined);
  }

  async pass(ms: number): Promise<void> {
    await this.#simulation.advance(ms);
    await this.rest();
  }

  /** The platform ends a request without a word: nothing of it is ever heard again. */
  async kill(context: Context): Promise<void> {
    this.#hear((model) => model.kill(context));
    await this.rest();
  }

  async shutdown(mode: Shutdown): Promise<void> {
    this.#hear((model) => model.shutdown(mode));
    this.#down = false;
    void this.#proactor.shutdown(mode).then(() => (this.#down = true));
    await this.rest();
  }

  /** The memory of every instance grows, so that all that the host has seen of it is detached. */
  async grow(): Promise<void> {
    for (const { memory } of this.#sides) memory.grow(1);
    await this.rest();
  }

  /** Lets everything happen that needs no time, and compares what is left. */
  async rest(): Promise<void> {
    await this.#simulation.advance(0);
    this.#hear((model) => {
      model.rest();
      const { openBodies, aborted } = this.#simulation;
      const { violations } = this.#border;
      must("G5", violations.length === 0, () => violations.join("; "));
      must(
        "G8",
        openBodies === model.openBodies.size,
        () => `${openBodies} bodies, not ${model.openBodies.size}, are open`,
      );
      must("G12", aborted === model.aborted, () => `${aborted} calls, not ${model.aborted}, were aborted`);
      for (const [name, count] of Object.entries(this.#proactor.counters))
        this.#same("G3", `counters.${name}`, count, model.counters[name as keyof typeof model.counters]);
      this.#same("G21", "reports", this.#reports.toSorted().join("; "), model.reports.toSorted().join("; "));
      this.#reports = model.reports = [];
      for (const context of model.contexts.filter(({ killed }) => !killed)) {
        const timers = [...this.#timers.values()].filter((owner) => owner === context).length;
        this.#same("G12", `timers of ${context.title}`, timers, model.isTimed(context) ? 1 : 0);
        this.#same("G3", context.title, this.#answers.get(context), context.answer);
      }
    });
    if (this.#divergence !== undefined) throw this.#divergence;
  }

  #same(promise: string, what: string, actual: unknown, expected: unknown): void {
    must(promise, actual === expected, () => `${what}: ${actual} instead of ${expected}`);
  }

  /** Faults stop, and everything must end. */
  async end(): Promise<void> {
    const { model } = this;
    for (let rounds = 0; model.calls.size > 0 || this.#simulation.clock.size > 0; rounds++) {
      must("G3", rounds < 100, () => "what was begun does not end");
      for (const operation of model.calls) await this.settle([operation], "ok", 0, []);
      await this.pass(1000);
    }
    // Those that were killed are found out by later requests, and still later ones give back what they held.
    for (let rounds = 0, left = 1; left > 0; rounds++) {
      must("G19", rounds < 5, () => "a killed request is never found out");
      left = model.counters.contexts;
      await this.open([]);
      await this.pass(1000);
    }
    model.end();
    must("G13", this.#down !== false, () => "the shutdown has not ended");
    this.#same("G12", "timers left", this.#simulation.clock.size, 0);
  }

  // Outside.

  #grants(): Grants {
    const upstream = (request: Request): Promise<Response> => {
      return this.#call(Number(new URL(request.url).pathname.slice(1))) as Promise<Response>;
    };
    const simulated = this.#simulation.origin(ORIGIN, upstream);
    const api: OriginGrant = {
      ...simulated,
      fetch: (url, init) => this.#begun(Number(new URL(url).pathname.slice(1)), () => simulated.fetch(url, init)),
    };
    const outside = (key: string): Promise<never> => this.#begun(Number(key), () => this.#call(Number(key))) as never;
    const store: KvStore = {
      get: outside,
      getWithMetadata: outside,
      delete: outside,
      list: ({ prefix }) => outside(prefix!),
      put: (key, value) => {
        this.#hear((model) => this.#checkValue(model.operations.get(Number(key))!, value));
        return outside(key);
      },
    };
    return { CACHE: kv(store), API: api };
  }

  /** The host makes a call. The model hears before the host does when it is over. */
  #begun<T>(number: number, call: () => Promise<T>): Promise<T> {
    this.#hear((model) => model.started(number, this.#current));
    const result = call();
    const over = (): void => void this.#hear((model) => model.released(number));
    result.then(over, over);
    return result;
  }

  /** Waits for a command. */
  #call(number: number): Promise<unknown> {
    return new Promise((answer, fail) => this.#calls.set(number, { answer, fail }));
  }

  /** G5: the host has copied the argument inside `submit`, for the guest has changed it since. */
  #checkValue({ number, action }: Operation, value: ArrayBuffer): void {
    const meant = new Uint8Array(action.bytes ?? 0).fill(number);
    must("G5", Buffer.compare(new Uint8Array(value), meant) === 0, () => `the value of put ${number} is another`);
  }

  /** A body that a command sends, or breaks off. */
  #body(key: Resource | Operation): ReadableStream<Uint8Array> {
    return new ReadableStream({ start: (body) => void this.#bodies.set(key, body) }, { highWaterMark: 0 });
  }

  #reported(model: Model, { kind, operation, token, status, request, message, cause }: ErrorReport): void {
    if (kind === "killed") return model.buried(request!);
    must("G21", kind !== "unexpected", () => `the host failed: ${message} ${(cause as Error | undefined)?.stack}`);
    const named = token && `${token.slot}:${token.generation}`;
    this.#reports.push(reportText(kind, request, operation, named, status));
  }

  // The border.

  #guard(module: WebAssembly.Module, watchesMemory: boolean): Border {
    let side: Side;
    return guard(module, {
      memory: watchesMemory,
      imports: (imports) => {
        const mine = {} as Side;
        side = mine;
        const { submit, poll, open } = imports["proactor_v1"]!;
        return {
          proactor_v1: {
            ...imports["proactor_v1"],
            submit: (at, count) => this.#submit(mine, submit!, at!, count!),
            poll: (at, capacity, arena, bytes) => this.#poll(mine, at!, () => poll!(at!, capacity!, arena!, bytes!)),
            open: (at, bytes) => {
              const number = open!(at!, bytes!);
              this.#hear((model) => model.granted(mine.instance, number));
              return number;
            },
          },
          wasi_snapshot_preview1: {
            ...imports["wasi_snapshot_preview1"],
            random_get: (at) => (this.#hear((model) => this.#ask(model, mine, at!)) ?? this.#leave(mine, at!), 0),
          },
        };
      },
      exports: ({ memory, run }) => {
        const instance = this.#hear((model) => model.instantiate())!;
        const mine = Object.assign(side, { instance, memory, steps: [], expects: undefined, doomed: undefined });
        this.#sides.push(mine);
        return { run: (budget) => this.#run(mine, () => run(budget)) };
      },
    });
  }

  #run(side: Side, run: () => number): number {
    const context = this.#current;
    // The stack is empty when the next microtask runs.
    if (context?.runsOnStack === 0) queueMicrotask(() => void (context.runsOnStack = 0));
    this.#hear((model) => model.run(side.instance, context));
    try {
      const result = run();
      this.#hear((model) => model.ran(side.instance, result));
      return result;
    } catch (error) {
      this.#hear((model) => {
        must("G9", side.doomed !== undefined, () => `the guest trapped: ${(error as Error).stack}`);
        model.trapped(side.instance, side.doomed === "abort");
      });
      side.doomed = undefined;
      throw error;
    }
  }

  #submit(side: Side, submit: (at: number, count: number) => number, at: number, count: number): number {
    const submissions = readSubmissions(side.memory.buffer, at, count).map(submitted);
    const meant = this.#hear((model) => model.submitted(side.instance, this.#current, submissions));
    const admitted = submit(at, count);
    this.#hear(() => this.#same("G4", "admitted", admitted, meant));
    return admitted;
  }

  #poll(side: Side, at: number, poll: () => number): number {
    const count = poll();
    this.#hear((model) => {
      if (count === Status.TooBig) return model.spend(side.instance);
      const completions = Array.from({ length: count }, (_, index) =>
        completionAt(side.memory.buffer, at + index * COMPLETION_BYTES),
      );
      if (count > 0) model.polled(side.instance, completions);
    });
    return count;
  }

  // The guest's steps.

  /** The guest says that a handler was called, or what a step came to, and gets the next step. */
  #ask(model: Model, side: Side, at: number): true {
    const { instance, memory } = side;
    const view = new DataView(memory.buffer, at, STEP_WORDS * 4);
    if (word(view, 0) === Said.Entered) {
      const [number, record, claimed, stale] = [4, 8, 12, 16].map((at) => word(view, at)) as [
        number,
        number,
        number,
        number,
      ];
      const seen = completionAt(memory.buffer, record);
      side.payloadAt = readCompletion(memory.buffer, record).payload[0];
      side.payload = seen.payload;
      side.steps = [...model.entered(instance, number, seen, claimed, stale)];
    } else {
      side.expects!(view.getBigUint64(4, true));
    }
    const step = side.steps.shift();
    // Nothing is written when nothing is to be done, for that is Return.
    const words = step ? this.#words(model, side, step) : [Step.Return];
    words.forEach((value, index) => view.setUint32(index * 4, value, true));
    if (step) return true;
    const payload = new Uint8Array(memory.buffer, side.payloadAt, side.payload.length);
    must("G5", Buffer.compare(payload, side.payload) === 0, () => "a payload changed while its handler ran");
    instance.guest.handling = undefined;
    return true;
  }

  #leave({ memory }: Side, at: number): true {
    new DataView(memory.buffer).setUint32(at, Step.Return, true);
    return true;
  }

  /** A step as the guest reads it, and what it must come to. */
  #words(model: Model, side: Side, action: Action): number[] {
    const { instance } = side;
    side.expects = () => {};
    switch (action.do) {
      case "cancel": {
        const token = tokenOf(instance, action);
        const result = BigInt(instance.guest.cancel(token, instance.running));
        side.expects = (actual) => this.#same("G7", `cancel of ${token}`, actual, result);
        return [Step.Cancel, ...halves(token)];
      }
      case "run":
        side.expects = (actual) => this.#same("G2", "run in a handler", Number(actual) | 0, Status.Again);
        return [Step.Run];
      case "abort":
      case "trap":
        side.doomed = action.do;
        return [action.do === "abort" ? Step.Abort : Step.Trap];
      case "grow":
        return [Step.Grow];
      case "collect":
        return [Step.Collect];
      case "litter":
        return [Step.Litter];
      default: {
        const operation = model.prepare(instance, action);
        side.expects = (token) =>
          instance.guest.named(
            operation,
            recordToken({ slot: Number(token & 0xffff_ffffn), generation: Number(token >> 32n) }),
          );
        return [
          STEPS[action.do],
          operation.number,
          action.within ?? 0,
          action.detached ? 1 : 0,
          ...argumentsOf(operation),
        ];
      }
    }
  }
}

const STEPS = {
  noop: Step.Noop,
  timer: Step.Timer,
  get: Step.Get,
  put: Step.Put,
  delete: Step.Delete,
  list: Step.List,
  fetch: Step.Fetch,
  page: Step.Page,
  read: Step.Read,
  close: Step.Close,
  respond: Step.Respond,
  stream: Step.Stream,
  end: Step.End,
};

function argumentsOf({ kind, action, on, from, victim }: Operation): number[] {
  if (kind === "timer") return [action.ms ?? 0];
  if (kind === "put") return [action.bytes ?? 0];
  return kind === "end" ? halves(victim) : [on, from];
}

const halves = (token: string): number[] => token.split(":").map(Number);

/** What the model looks at of a submission. */
function submitted({ opcode, flags, ranges, ...token }: SubmissionRecord): Submitted {
  const detached = (flags & DETACHED) !== 0;
  return { token: recordToken(token), opcode, detached, bytes: ranges.reduce((sum, [, bytes]) => sum + bytes, 0) };
}

/** What it looks at of a completion. */
function completionAt(buffer: ArrayBuffer, at: number): Seen {
  const { status, flags, resource, payload, auxiliary, ...token } = readCompletion(buffer, at);
  return {
    token: recordToken(token),
    status,
    // The rest the guest itself has written.
    flags: flags & (MORE | RECLAIM),
    resource,
    payload: new Uint8Array(buffer, ...payload).slice(),
    auxiliary,
  };
}
