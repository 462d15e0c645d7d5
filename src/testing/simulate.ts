// Simulate: one run of a guest in a simulated world, all of it decided by one seed.
//
// Safety: requests come, overlap, fail, are killed and are left, and at every step the contract must hold. Liveness:
// the faults stop; now everything in flight must end, new requests must be served, and nothing may be left behind.

import { messageOf } from "../failure.ts";
import type { Counters, Shutdown } from "../host.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import type { Limits } from "../limits.ts";
import { concatenate } from "../memory.ts";
import { checkNames } from "../names.ts";
import type { Isolation } from "../options.ts";
import type { ErrorReport } from "../report.ts";
import type { Grants } from "../resource.ts";
import { Border } from "./border.ts";
import { checkFrom0, checkFunction, checkSpan, checkWhole, isA } from "./checks.ts";
import type { Span } from "./checks.ts";
import { onlyFaults, someFaults } from "./faults.ts";
import type { Faults } from "./faults.ts";
import { PlatformEvent } from "./platform.ts";
import { Random } from "./random.ts";
import { SimulatedProactor } from "./simulated-host.ts";
import { Simulation } from "./simulation.ts";
import type { SimulationOptions } from "./simulation.ts";
import { Trace } from "./trace.ts";

export interface SimulateOptions extends Omit<SimulationOptions, "faults"> {
  /** What the guest may open: `(world) => ({ CACHE: world.kv(), API: world.origin("https://…", upstream) })`. */
  resources?: (world: Simulation) => Grants;
  /** How many requests come while there are faults; 20 if not given. */
  requests?: number;
  /** The request number `index`; a GET of http://localhost/ if not given. */
  request?: (index: number, random: Random, world: Simulation) => Request;
  /** The least and the most milliseconds from one request to the next; 0 to 40 if not given. */
  pause?: Span;
  isolation?: Isolation;
  limits?: Partial<Limits>;
  /** Shuts the host down so while there are faults; requests that come later are answered with 503. */
  shutdown?: Shutdown;
  /** These faults only. Without it the seed decides which there are, and how often. */
  faults?: Partial<Faults>;
  /** Called with every answer that a caller got. What it throws fails the run. */
  onAnswer?: (answer: Answer, world: Simulation) => void | Promise<void>;
  /** Told of what no handler of the guest has dealt with, as `onError` is. */
  onReport?: (report: ErrorReport) => void;
  /** Called once everything has ended, before the ledgers are looked at. */
  onEnd?: (world: Simulation) => void | Promise<void>;
  /** Takes a line for each thing that happens. */
  onTrace?: (line: string) => void;
}

/** What a caller got. */
export interface Answer {
  index: number;
  request: Request;
  response: Response;
  /** The body, as far as it came. */
  bytes: Uint8Array;
  text: string;
  /** Whether the body came to its end: it neither broke off, nor did the caller leave. */
  complete: boolean;
  /** When the head came: milliseconds since the start. */
  at: number;
}

export interface SimulationRun {
  seed: number;
  /** Of everything that happened: equal runs have equal hashes. */
  hash: string;
  answers: Answer[];
  /** What the host reported to its owner. */
  reports: ErrorReport[];
  counters: Counters;
  /** Virtual milliseconds, and events. */
  ms: number;
  steps: number;
}

/** A run that broke a promise. The message has all that is wrong, and the seed. */
export class SimulationError extends Error {
  override readonly name = "SimulationError";

  constructor(
    readonly seed: number,
    readonly violations: readonly string[],
    options?: ErrorOptions,
  ) {
    const shown = violations.slice(0, VIOLATIONS_SHOWN);
    const rest = violations.length > shown.length ? [`and ${violations.length - shown.length} more`] : [];
    super(`seed ${seed}: ${[...shown, ...rest].join("\n- ")}`, options);
  }
}

/** The options, and among them those of the world. */
const WORLD_NAMES: readonly string[] = ["delay", "bodyDelay", "platform"];
const HOOK_NAMES = ["resources", "request", "onAnswer", "onReport", "onEnd", "onTrace"] as const;
const NAMES = ["seed", "requests", "pause", "faults", "isolation", "limits", "shutdown", ...WORLD_NAMES, ...HOOK_NAMES];

const SHUTDOWNS: readonly Shutdown[] = ["graceful", "now"];

const REQUESTS = 20;
const PAUSE: Span = [0, 40];
const VIOLATIONS_SHOWN = 10;
/** Events that each phase takes at most, for each request: what goes on for longer will not end. */
const STEPS_PER_REQUEST_MAX = 1000;
/** Faults stop so many milliseconds after the last request, at most. */
const SAFETY_MS_MAX = 200;
/** Requests are killed, if at all, within so many milliseconds. */
const KILLED_WITHIN_MS = 100;
/** Later requests find the killed ones: one notes who is still, the next asks and waits, a third gives back the slots. */
const PROBES = 5;
/** Farther apart than the host's roll calls. */
const PROBE_MS = 500;
/** In one run of so many memory is compared around each call. */
const COMPARING_ONE_IN = 32;

/** Runs `module` in a simulated world. Throws a SimulationError if a promise is broken, or what `onAnswer` throws. */
export async function simulate(module: WebAssembly.Module, options: SimulateOptions = {}): Promise<SimulationRun> {
  const run = new Run(module, options);
  return run.complete();
}

class Run {
  readonly #options: SimulateOptions;
  readonly #seed: number;
  readonly #random: Random;
  readonly #world: Simulation;
  readonly #trace: Trace;
  readonly #border: Border;
  readonly #proactor: SimulatedProactor;
  readonly #granted: number;
  readonly #events = new Map<number, PlatformEvent>();
  readonly #answers = new Map<number, Answer>();
  readonly #reports: ErrorReport[] = [];
  #requests = 0;
  #steps = 0;
  /** Whether a shutdown has begun, and whether it is complete. */
  #shutdown: "begun" | "complete" | undefined;
  /** What a hook threw first. */
  #thrown: { error: unknown } | undefined;

  constructor(module: WebAssembly.Module, options: SimulateOptions) {
    checkOptions(options);
    const { seed = 1, isolation = "pooled", limits = {} } = options;
    this.#options = options;
    this.#seed = seed;
    this.#random = new Random(seed);
    const faults = options.faults === undefined ? someFaults(this.#random) : onlyFaults(options.faults);
    this.#trace = new Trace(options.onTrace);
    this.#world = new Simulation({
      bodyDelay: [0, 5],
      ...worldOf(options),
      faults,
      seed: this.#random.between(0, 0x7fff_ffff),
    });
    this.#border = new Border({
      world: this.#world,
      trace: this.#trace,
      random: this.#random.fork(),
      comparing: this.#random.chance(1 / COMPARING_ONE_IN),
      inFlightMax: limits.inFlight ?? DEFAULT_LIMITS.inFlight,
      waitMs: limits.waitMs ?? DEFAULT_LIMITS.waitMs,
      exact: faults.stall === 0 && faults.frozenClock === 0,
      goes: faults.frozenClock === 0,
    });
    const numbers = this.#random.fork();
    this.#proactor = new SimulatedProactor(module, {
      resources: options.resources?.(this.#world) ?? {},
      isolation,
      limits,
      clock: this.#world.platform.clock,
      random: (bytes) => bytes.forEach((_, at) => (bytes[at] = numbers.between(0, 255))),
      instantiate: this.#border.instantiate,
      onError: (report) => this.#report(report),
    });
    this.#granted = this.#proactor.granted;
  }

  async complete(): Promise<SimulationRun> {
    await this.#safety();
    this.#world.calm();
    this.#trace.line(() => `${this.#world.clock.now()} ms: the faults stop`);
    await this.#liveness();
    await this.#atEnd();
    const { violations } = this.#world.platform;
    if (this.#thrown)
      throw new SimulationError(this.#seed, [messageOf(this.#thrown.error), ...violations], {
        cause: this.#thrown.error,
      });
    if (violations.length > 0) throw new SimulationError(this.#seed, violations);
    const answers = [...this.#answers.values()].toSorted((a, b) => a.index - b.index);
    for (const { index, response, bytes, at, complete } of answers) {
      this.#trace.numbers(index, response.status, at, complete ? 1 : 0);
      // How much comes before a body breaks off is the engine's to say.
      if (complete) this.#trace.bytes(bytes);
    }
    const { hash } = this.#trace;
    const { counters } = this.#proactor;
    return {
      seed: this.#seed,
      hash,
      answers,
      reports: this.#reports,
      counters,
      ms: this.#world.clock.now(),
      steps: this.#steps,
    };
  }

  // Phases.

  async #safety(): Promise<void> {
    const { requests = REQUESTS, pause = PAUSE, shutdown } = this.#options;
    let at = 0;
    for (let sent = 0; sent < requests; sent++) {
      this.#world.clock.setTimeout(() => this.#send(), at);
      at += this.#random.between(...pause);
    }
    const end = at + this.#random.between(0, SAFETY_MS_MAX);
    if (shutdown) this.#world.clock.setTimeout(() => void this.#shutDown(shutdown), this.#random.between(0, end));
    const stepsMax = this.#steps + this.#stepsMax;
    while (this.#world.clock.earliest <= end && this.#steps < stepsMax) await this.#step();
  }

  async #shutDown(mode: Shutdown): Promise<void> {
    this.#trace.line(() => `${this.#world.clock.now()} ms: the host is shut down, ${mode}`);
    this.#shutdown = "begun";
    await this.#proactor.shutdown(mode);
    this.#shutdown = "complete";
    const { contexts, instances, inFlight } = this.#proactor.counters;
    for (const [what, count] of Object.entries({ contexts, instances, inFlight }))
      if (count !== 0) this.#violation(`G13: after the shutdown ${count} ${what} are left`);
  }

  get #stepsMax(): number {
    return STEPS_PER_REQUEST_MAX * (this.#options.requests ?? REQUESTS);
  }

  async #liveness(): Promise<void> {
    const end = this.#steps + this.#stepsMax;
    const settle = async (): Promise<void> => {
      while (await this.#step()) {
        if (this.#steps < end) continue;
        this.#violation("after the faults have stopped it goes on and on");
        return;
      }
    };
    await settle();
    for (let probes = 0; probes < PROBES && this.#steps < end; probes++) {
      if (probes > 0 && this.#isEmpty) break;
      this.#world.clock.setTimeout(() => this.#send(), PROBE_MS);
      await settle();
    }
  }

  /** What belonged to a request that was killed is given back by the next turn of another. */
  get #isEmpty(): boolean {
    return this.#proactor.counters.contexts === 0 && this.#proactor.leftovers(this.#granted).length === 0;
  }

  async #step(): Promise<boolean> {
    this.#steps++;
    const went = await this.#world.step();
    for (const event of this.#events.values()) this.#look(event);
    return went;
  }

  /** What must hold between any two steps. */
  #look(event: PlatformEvent): void {
    if (event.killed || (event.fetches.size === 0 && event.timers === 0)) return;
    const context = this.#proactor.contextOf(event);
    if (!context) return;
    if (context.forgottenFetches > 0)
      this.#violation(`${event.name} has fetches that go on, but their operations have ended`);
    if (context.ended && event.timers > 0) this.#violation(`${event.name} is over, but its timer is armed`);
  }

  async #atEnd(): Promise<void> {
    const { counters } = this.#proactor;
    const { clock, fetching, openBodies } = this.#world;
    const left = {
      contexts: counters.contexts,
      "armed timers": clock.size,
      fetches: fetching,
      "open bodies": openBodies,
    };
    for (const [what, count] of Object.entries(left))
      if (count !== 0) this.#violation(`at the end ${count} ${what} are left`);
    for (const sentence of this.#proactor.leftovers(this.#granted)) this.#violation(`at the end ${sentence}`);
    if (this.#shutdown === "begun") this.#violation("G13: the shutdown never ends");
    const well = new Set<PlatformEvent>();
    for (const [index, event] of this.#events) {
      if (event.killed) continue;
      if (!event.answered) this.#violation(`${event.name} was never answered`);
      else if (!this.#answers.has(index)) this.#violation(`the answer to ${event.name} never ends`);
      if (event.timers > 0) this.#violation(`${event.name} has left ${event.timers} timers`);
      if (!event.failed) well.add(event);
    }
    for (const sentence of this.#border.unfinished(well)) this.#violation(sentence);
    await this.#hook(() => this.#options.onEnd?.(this.#world));
  }

  // Requests.

  #send(): void {
    const index = this.#requests++;
    void this.#hook(() => this.#serve(index));
  }

  /** One request, from its caller's side. */
  async #serve(index: number): Promise<void> {
    const { request: make, onAnswer } = this.#options;
    const { clock, platform } = this.#world;
    const random = this.#random.fork();
    const request = make ? make(index, random, this.#world) : new Request("http://localhost/");
    if (!isA("Request", request)) throw new TypeError("request: it gave no Request");
    const event = new PlatformEvent(platform, index, `request ${index} (${request.method} ${request.url})`);
    this.#events.set(index, event);
    this.#trace.numbers(index, clock.now());
    this.#trace.line(() => `${clock.now()} ms: ${event.name} comes`);
    if (this.#world.strikes("killed", event.name))
      clock.setTimeout(() => this.#kill(event), random.between(0, KILLED_WITHIN_MS));
    const leaves = this.#world.strikes("left", event.name);
    const response = await this.#proactor.serve(request, this.#world, event);
    if (event.killed) return;
    const at = clock.now();
    this.#trace.line(() => `${at} ms: ${event.name} is answered with ${response.status}`);
    event.answer();
    const { bytes, complete } = await read(response.body, leaves);
    const answer = { index, request, response, bytes, text: new TextDecoder().decode(bytes), complete, at };
    this.#answers.set(index, answer);
    await onAnswer?.(answer, this.#world);
  }

  #kill(event: PlatformEvent): void {
    if (event.answered) return;
    this.#trace.line(() => `${this.#world.clock.now()} ms: ${event.name} is killed`);
    event.kill();
  }

  /** Remembers what the owner's own code throws first. */
  async #hook(hook: () => void | Promise<void>): Promise<void> {
    try {
      await hook();
    } catch (error) {
      this.#thrown ??= { error };
    }
  }

  // Reports.

  #report(report: ErrorReport): void {
    this.#reports.push(report);
    this.#options.onReport?.(report);
    const { kind, operation = "", status = 0, line = 0 } = report;
    this.#trace.text(kind + operation);
    this.#trace.numbers(status, line);
    this.#trace.line(() => `  report ${kind}: ${report.message}`);
    // The host's own fault, whatever guest and platform do.
    if (kind === "unexpected") this.#violation(`the host failed: ${report.message}`);
  }

  #violation(what: string): void {
    this.#world.platform.violations.push(what);
  }
}

/** Of what the world does not check itself. Throws a TypeError, or a RangeError, that names what is wrong. */
function checkOptions(options: SimulateOptions): void {
  checkNames("options of simulate", Object.keys(options), NAMES);
  const { seed = 1, requests = REQUESTS, pause = PAUSE, shutdown } = options;
  checkWhole("seed", seed);
  checkWhole("requests", requests);
  checkFrom0("requests", requests);
  checkSpan("pause", pause);
  if (shutdown !== undefined) checkNames("shutdown", [shutdown], SHUTDOWNS);
  for (const name of HOOK_NAMES) if (options[name] !== undefined) checkFunction(name, options[name]);
}

/** Reads a body to its end, or leaves after the first piece. */
async function read(
  body: ReadableStream<Uint8Array> | null,
  leaves: boolean,
): Promise<Pick<Answer, "bytes" | "complete">> {
  const pieces: Uint8Array[] = [];
  const reader = body?.getReader();
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done) return { bytes: concatenate(pieces), complete: true };
      pieces.push(value!);
      if (!leaves) continue;
      await reader!.cancel();
      return { bytes: concatenate(pieces), complete: false };
    }
  } catch {
    return { bytes: concatenate(pieces), complete: false };
  }
}

/** The options that are the world's. */
function worldOf(options: SimulateOptions): SimulationOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => WORLD_NAMES.includes(name)));
}
