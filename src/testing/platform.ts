// Platform: what a Workers runtime does around a host. It gives each incoming request its own I/O and its own timers,
// lets only so many connections wait at once, and may end a request without a word.
//
// In the real runtime touching another request's I/O is an error, or is lost. Here it is a violation.

import type { Clock } from "../deadlines.ts";
import type { Lifetime } from "../request-context.ts";

export interface PlatformLimits {
  /** Calls of one request that may wait for their answer at once; more wait for their turn. 6 on Workers. */
  connections: number;
  /** Calls that one request may make in all. 50 and more on Workers; no limit if not given. */
  subrequests: number;
  /** Milliseconds for which a request may go on after it was answered. 30,000 on Workers. */
  waitUntilMs: number;
}

export const WORKERS_LIMITS: PlatformLimits = { connections: 6, subrequests: Infinity, waitUntilMs: 30_000 };

export class Platform {
  /** The request on whose stack the host runs now. */
  running: PlatformEvent | undefined;
  /** Rules that were broken, as sentences. */
  readonly violations: string[] = [];
  /** The host's. A timer belongs to the request on whose stack it is armed, if there is one. */
  readonly clock: Clock = {
    now: () => this.now(),
    setTimeout: (callback, ms) => (this.running ?? this.timers).setTimeout(callback, ms),
    clearTimeout: (timer) => (timer instanceof EventTimer ? timer.event : this.timers).clearTimeout(timer),
  };

  constructor(
    /** What is due, in true time. */
    readonly timers: Clock,
    /** What the host is told the time is. */
    readonly now: () => number,
    readonly limits: PlatformLimits,
  ) {}
}

/** A timer of one request. */
class EventTimer {
  readonly event: PlatformEvent;
  armed: unknown;

  constructor(event: PlatformEvent) {
    this.event = event;
  }
}

/** One incoming request, and what belongs to it. */
export class PlatformEvent implements Lifetime {
  killed = false;
  answered = false;
  /** Whether the host has given up on it. */
  failed = false;
  /** The signals of fetches that wait for their response. */
  readonly fetches = new Set<AbortSignal>();
  readonly #platform: Platform;
  readonly #timers = new Set<EventTimer>();
  readonly #end = new AbortController();
  readonly #queue: (() => void)[] = [];
  #connected = 0;
  #subrequests = 0;
  #awaited = 0;
  #limit: unknown;

  constructor(
    platform: Platform,
    /** The request's number. */
    readonly index: number,
    /** As violations and traces name it. */
    readonly name: string,
  ) {
    this.#platform = platform;
  }

  /** Whether nobody will hear what its operations come to. */
  get isLost(): boolean {
    return this.killed || this.failed;
  }

  /** Aborted when the platform ends the request. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Runs the host's code on this request's stack. */
  enter<T>(call: () => T): T {
    const platform = this.#platform;
    const before = platform.running;
    platform.running = this;
    try {
      return call();
    } finally {
      platform.running = before;
    }
  }

  /** Notes whoever touches what belongs to this request while another one's code runs. */
  touch(what: string): void {
    const { running, violations } = this.#platform;
    if (running && running !== this)
      violations.push(`${what} of ${this.name} was touched on the stack of ${running.name}`);
  }

  // Timers.

  setTimeout(callback: () => void, ms: number): unknown {
    const timer = new EventTimer(this);
    timer.armed = this.#platform.timers.setTimeout(() => {
      this.#timers.delete(timer);
      this.enter(callback);
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.touch("the timer");
    if (!(timer instanceof EventTimer) || !this.#timers.delete(timer)) return;
    this.#platform.timers.clearTimeout(timer.armed);
  }

  // Calls.

  /** Makes a call when a connection is free. Its promise never settles once the request was killed. */
  call<T>(call: () => PromiseLike<T>, signal?: AbortSignal | null): Promise<T> {
    this.touch("a call");
    if (signal && !this.killed) this.fetches.add(signal);
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        if (signal) this.fetches.delete(signal);
        this.#platform.timers.setTimeout(() => this.#disconnect(), 0);
        if (!this.killed) outcome();
      };
      const refused = ++this.#subrequests > this.#platform.limits.subrequests;
      this.#queue.push(() => {
        this.enter(refused ? () => this.#refuse() : call).then(
          (result) => settle(() => resolve(result)),
          (error) => settle(() => reject(error)),
        );
      });
      this.#connect();
    });
  }

  /** At a moment of its own: engines would not agree which of two refusals is heard of first. */
  #refuse(): Promise<never> {
    return new Promise((_, reject) => {
      this.#platform.timers.setTimeout(() => reject(new Error("Too many subrequests.")), 1);
    });
  }

  /** After all reactions: engines would not agree whether a call made in one of them finds the connection free. */
  #disconnect(): void {
    this.#connected--;
    this.#connect();
  }

  #connect(): void {
    if (this.killed || this.#connected >= this.#platform.limits.connections) return;
    const next = this.#queue.shift();
    if (!next) return;
    this.#connected++;
    next();
  }

  // The end.

  waitUntil(promise: Promise<unknown>): void {
    this.#awaited++;
    const settled = (): void => {
      this.#awaited--;
      if (this.#isOver) this.#platform.timers.clearTimeout(this.#limit);
    };
    promise.then(settled, settled);
  }

  /** The response was handed over: from now on the request lives by `waitUntil` alone, and not for ever. */
  answer(): void {
    this.answered = true;
    const { timers, limits } = this.#platform;
    if (!this.#isOver && limits.waitUntilMs < Infinity)
      this.#limit = timers.setTimeout(() => this.kill(), limits.waitUntilMs);
  }

  get #isOver(): boolean {
    return this.answered && this.#awaited === 0;
  }

  /** Ends the request without a word. Nothing that it waits for will come, and nothing of it will run. */
  kill(): void {
    if (this.killed) return;
    this.killed = true;
    this.#platform.timers.clearTimeout(this.#limit);
    for (const { armed } of this.#timers) this.#platform.timers.clearTimeout(armed);
    this.#timers.clear();
    this.fetches.clear();
    this.#queue.length = 0;
    this.#end.abort();
  }
}
