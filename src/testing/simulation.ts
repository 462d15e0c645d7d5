// Simulation: the world around a guest, with virtual time, and order and faults decided by one seed.
//
// The guest's binary and the proactor are the real ones. Only the clock and what the grants reach are simulated, so a
// run is over in no time, fails the same way again with the same seed, and can be as unfriendly as it likes.

import { memoryKv } from "../kv-memory.ts";
import { checkNames } from "../names.ts";
import { kv, origin } from "../resource.ts";
import type { KvGrant, KvRight, KvStore, OriginGrant } from "../resource.ts";
import { BodyLedger, simulatedBody } from "./body.ts";
import { checkFrom0, checkSpan, checkWhole, completeObject, isA } from "./checks.ts";
import type { Span } from "./checks.ts";
import { onlyFaults } from "./faults.ts";
import type { Faults, Struck } from "./faults.ts";
import { Platform, WORKERS_LIMITS } from "./platform.ts";
import type { PlatformLimits } from "./platform.ts";
import { Random } from "./random.ts";
import { staleKv } from "./stale-kv.ts";
import { VirtualClock } from "./virtual-clock.ts";

export interface SimulationOptions {
  /** Decides delays and faults; 1 if not given. */
  seed?: number;
  /** The least and the most milliseconds that a call takes; 1 to 50 if not given. */
  delay?: Span;
  /** The same, from one piece of a body to the next; all at once if not given. */
  bodyDelay?: Span;
  faults?: Partial<Faults>;
  /** What the platform allows a request: what Workers do if not given. */
  platform?: Partial<PlatformLimits>;
}

const DEFAULTS: Required<SimulationOptions> = { seed: 1, delay: [1, 50], bodyDelay: [0, 0], faults: {}, platform: {} };

/** What an origin's author writes: a request in, a response out. */
export type Upstream = (request: Request) => Response | Promise<Response>;

/** How long the process is busy at most when it stalls, how often that is drawn, and how stale a read is: milliseconds. */
const STALL_MS_MAX = 1000;
const STALL_EVERY_MS = 10;
const STALE_MS_MAX = 60_000;

export class Simulation {
  readonly seed: number;
  /** True time. */
  readonly clock = new VirtualClock();
  readonly random: Random;
  /** May be changed while the simulation runs: faults that stop let a test ask whether everything ends. */
  faults: Faults;
  /** Which faults have struck whom, in order. */
  readonly struck: Struck[] = [];
  /** Fetches under way, and how many at most. */
  fetching = 0;
  fetchingMost = 0;
  /** Fetches whose signal was aborted before they were done. */
  aborted = 0;
  /** Bodies of responses, and of requests made by `body`. */
  readonly bodies = new BodyLedger();
  readonly platform: Platform;
  readonly #delay: Span;
  readonly #bodyDelay: Span;
  readonly #stalls: Random;
  #stallFrom = 0;
  #frozenAt: number | undefined;
  /** Of the test itself, which must not pass for something that the network does. */
  #mistake: TypeError | undefined;
  #speak!: () => void;
  /** Fulfilled when those who are silent answer. */
  readonly #speech = new Promise<void>((resolve) => (this.#speak = resolve));

  constructor(options: SimulationOptions = {}) {
    const { seed, delay, bodyDelay, faults, platform } = completeObject("options of Simulation", options, DEFAULTS);
    checkWhole("seed", seed);
    checkSpan("delay", delay);
    checkSpan("bodyDelay", bodyDelay);
    const limits = completeObject("platform", platform, WORKERS_LIMITS);
    for (const [name, limit] of Object.entries(limits)) checkFrom0(`platform.${name}`, limit);
    this.seed = seed;
    this.random = new Random(seed);
    this.#stalls = new Random(seed ^ STALL_MS_MAX);
    this.#delay = delay;
    this.#bodyDelay = bodyDelay;
    this.faults = onlyFaults(faults);
    if (this.strikes("frozenClock", "everybody")) this.#frozenAt = this.clock.now();
    this.platform = new Platform(this.clock, () => this.#frozenAt ?? this.clock.now(), limits);
  }

  /** Response bodies that were neither read to their end nor cancelled. Zero once all is over. */
  get openBodies(): number {
    return this.bodies.open;
  }

  /** Ends all faults: the network answers, the store is consistent, the clock goes, and no request is ended any more. */
  calm(): void {
    this.faults = onlyFaults();
    this.platform.limits.waitUntilMs = Infinity;
    this.#frozenAt = undefined;
    this.#speak();
  }

  /** Whether this fault happens now, to whom. Without the fault nothing is drawn. */
  strikes(fault: keyof Faults, what: string): boolean {
    const probability = this.faults[fault];
    const strikes = probability > 0 && this.random.chance(probability);
    if (strikes) this.struck.push({ fault, what });
    return strikes;
  }

  // KV.

  /** A granted KV namespace, of its own or over `store`, whose calls take time. */
  kv(options: { rights?: readonly KvRight[]; store?: KvStore } = {}): KvGrant {
    checkNames("options of world.kv", Object.keys(options), ["rights", "store"]);
    // Refuses what is no store.
    const granted = kv(options.store ?? memoryKv(this.clock));
    const store = staleKv(granted.store, this.clock, (key) =>
      this.strikes("kvStale", `get ${key}`) ? this.random.between(1, STALE_MS_MAX) : 0,
    );
    const simulated: KvStore = {
      get: (key, ...rest) => this.#kvCall(`get ${key}`, () => store.get(key, ...rest)),
      getWithMetadata: (key, ...rest) => this.#kvCall(`get ${key}`, () => store.getWithMetadata(key, ...rest)),
      put: (key, ...rest) => this.#kvCall(`put ${key}`, () => store.put(key, ...rest)),
      delete: (key) => this.#kvCall(`delete ${key}`, () => store.delete(key)),
      list: (options) => this.#kvCall(`list ${options.prefix ?? ""}`, () => store.list(options)),
    };
    return kv(simulated, options.rights ? { rights: options.rights } : {});
  }

  #kvCall<T>(what: string, call: () => Promise<T>): Promise<T> {
    const answer = async (): Promise<T> => {
      await this.#later();
      if (this.strikes("kvRateLimited", what)) throw new Error("KV: 429 Too Many Requests");
      return call();
    };
    return answer();
  }

  // Origins.

  /** Granted origins that `upstream` plays; its responses take time and their bodies are counted. */
  origin(origins: string | readonly string[], upstream: Upstream): OriginGrant {
    if (typeof upstream !== "function")
      throw new TypeError("world.origin: upstream is a function from Request to Response");
    return origin(origins, { fetcher: { fetch: (url, init) => this.#fetch(url, init, upstream) } });
  }

  async #fetch(url: string, init: RequestInit, upstream: Upstream): Promise<Response> {
    const { signal, ...rest } = init;
    const what = `${init.method ?? "GET"} ${url}`;
    // Gone with the request on whose stack it was made, if the platform ends that.
    const ended = this.platform.running?.ended;
    this.fetching++;
    this.fetchingMost = Math.max(this.fetchingMost, this.fetching);
    try {
      const heeded = [this.#heeded(signal, what), ended];
      await this.#laterUnless(heeded);
      if (this.strikes("silence", what)) {
        await unlessAborted(this.#speech, heeded);
        await this.#laterUnless(heeded);
      }
      if (this.strikes("network", what)) throw new TypeError("simulated network failure");
      const response = await this.#ask(upstream, new Request(url, rest), heeded);
      if (!isA("Response", response)) {
        this.#mistake = new TypeError(`world.origin: upstream gave no Response to ${what}`);
        throw this.#mistake;
      }
      // The network has no way to send a body in answer to a HEAD.
      return rest.method === "HEAD" ? new Response(null, response) : this.#counted(response, what, heeded);
    } finally {
      this.fetching--;
    }
  }

  /** Counts an abort, and hides it from a fetch that is to ignore it. */
  #heeded(signal: AbortSignal | null | undefined, what: string): AbortSignal | undefined {
    const ignored = this.strikes("abortIgnored", what);
    signal?.addEventListener("abort", () => this.aborted++);
    return signal && !ignored ? signal : undefined;
  }

  /** The upstream's response, unless a signal is aborted first. One that comes later nobody reads. */
  #ask(upstream: Upstream, request: Request, signals: Signals): Promise<Response> {
    const response = Promise.resolve(request).then(upstream);
    const drop = (): void => void response.then(({ body }) => body?.cancel()).catch(() => {});
    return unlessAborted(response, signals, drop);
  }

  /** The response with a body that is in the ledger until it is read to its end or cancelled. */
  #counted(response: Response, what: string, signals: Signals): Response {
    if (!response.body) return response;
    const breaks = this.strikes("bodyBroken", what);
    return new Response(this.#body(response.body, breaks, signals), response);
  }

  /** A request's body, which arrives piece by piece. In no ledger: nobody has to read what a caller sends. */
  body(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
    return this.#body(new Response(bytes).body!, false, [], new BodyLedger());
  }

  #body(source: ReadableStream<Uint8Array>, breaks: boolean, [signal, ended]: Signals, ledger = this.bodies) {
    const { clock } = this;
    const random = this.random.fork();
    return simulatedBody(source, { ledger, clock, delay: this.#bodyDelay, random, breaks, signal, ended });
  }

  // Time.

  /** Waits, but no longer than until a signal is aborted. */
  #laterUnless(signals: Signals): Promise<void> {
    let timer: unknown;
    const delay = new Promise<void>((resolve) => {
      timer = this.clock.setTimeout(resolve, this.#someDelay());
    });
    return unlessAborted(delay, signals, () => this.clock.clearTimeout(timer));
  }

  #later(): Promise<void> {
    return new Promise((resolve) => this.clock.setTimeout(resolve, this.#someDelay()));
  }

  #someDelay(): number {
    return this.random.between(...this.#delay);
  }

  /**
   * Keeps the process busy now and then, so that what is due meanwhile comes late. By time and not by event: engines
   * differ in how many events it takes to move a body.
   */
  #maybeStall(): void {
    if (this.faults.stall === 0) return;
    const { earliest } = this.clock;
    for (; this.#stallFrom + STALL_EVERY_MS <= earliest; this.#stallFrom += STALL_EVERY_MS) {
      if (!this.#stalls.chance(this.faults.stall)) continue;
      this.struck.push({ fault: "stall", what: "everybody" });
      this.clock.moveTo(this.#stallFrom + this.#stalls.between(1, STALL_MS_MAX));
    }
  }

  /** Throws what the guest has been told as a failure of the network, but is one of the test. */
  async #eventsDone(): Promise<void> {
    await eventsDone();
    if (this.#mistake) throw this.#mistake;
  }

  /** Lets the next event happen. False if there is none. */
  async step(): Promise<boolean> {
    await this.#eventsDone();
    if (this.clock.size === 0) return false;
    this.#maybeStall();
    this.clock.fireNext();
    await this.#eventsDone();
    return true;
  }

  /** Lets time pass until `promise` settles. Rejects, and names the seed, if it never will. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = (): void => void (settled = true);
    promise.then(settle, settle);
    await this.#eventsDone();
    for (;;) {
      if (settled) return promise;
      if (await this.step()) continue;
      // Another `run` at the same time may have let the last event happen, whose reactions are still to come.
      await this.#eventsDone();
      if (!settled && this.clock.size === 0)
        throw new Error(
          `simulation: the promise never settles (seed ${this.seed}); a Proactor must have the option clock: world.clock`,
        );
    }
  }

  /** Lets `ms` milliseconds pass, with all that is due in them. */
  async advance(ms: number): Promise<void> {
    checkFrom0("advance", ms);
    const end = this.clock.now() + ms;
    await this.#eventsDone();
    while (this.clock.earliest <= end) {
      this.clock.fireNext();
      await this.#eventsDone();
    }
    this.clock.moveTo(end);
  }

  /** Lets time pass until no timer is armed. */
  async settle(): Promise<void> {
    while (await this.step());
  }
}

/** Node's is the cheapest way to wait until all reactions have run; everybody has the other. */
const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };

function eventsDone(): Promise<void> {
  return new Promise((resolve) => (setImmediate ? setImmediate(resolve) : setTimeout(resolve, 0)));
}

type Signals = readonly (AbortSignal | undefined)[];

/** Settles as `promise` does, unless a signal is aborted first: then gives it up and rejects. */
function unlessAborted<T>(promise: Promise<T>, signals: Signals, giveUp = (): void => {}): Promise<T> {
  return signals.reduce<Promise<T>>((result, signal) => (signal ? unless(result, signal, giveUp) : result), promise);
}

function unless<T>(promise: Promise<T>, signal: AbortSignal, giveUp: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      giveUp();
      reject(signal.reason);
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    promise.finally(() => signal.removeEventListener("abort", abort)).then(resolve, reject);
  });
}
