// Proactor: instances of one module, and which of them serves which request.
//
// `isolation` decides how far a trap reaches. "request": a new instance for each request. "pooled": one request at a
// time in each instance, which is reused after a clean end. "shared": many requests at once in one instance; an abort
// of the guest costs one of them, anything worse costs them all, and a new instance takes over.

import { Status } from "../assembly/abi.ts";
import type { Clock } from "./deadlines.ts";
import { deferred } from "./deferred.ts";
import type { Deferred } from "./deferred.ts";
import { messageOf } from "./failure.ts";
import { newCounters } from "./host.ts";
import type { Counters, Host, Shutdown } from "./host.ts";
import { GuestAbort, Instance } from "./instance.ts";
import type { Limits } from "./limits.ts";
import { IMPORT_ADVICE, ModuleError, checkModule } from "./module.ts";
import { checkNames } from "./names.ts";
import { completeOptions } from "./options.ts";
import type { ProactorOptions } from "./options.ts";
import { handlerOf } from "./processors.ts";
import { SHUT_DOWN, UNEXPECTED, failureResponse, logError, placeOf } from "./report.ts";
import type { ErrorReport } from "./report.ts";
import { RequestContext } from "./request-context.ts";
import type { Lifetime } from "./request-context.ts";

/** Milliseconds between two roll calls. */
const ROLL_CALL_MS = 250;
/** Waits that a roll call lasts, one after the other, and milliseconds of each. */
const ROLL_CALL_WAITS = 3;
const ROLL_CALL_WAIT_MS = 50;

export class Proactor implements Host {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly counters: Counters = newCounters();
  readonly #module: WebAssembly.Module;
  readonly #options: Required<ProactorOptions>;
  /** Instances that a request may have: clean, and for itself unless isolation is "shared". */
  readonly #idle: Instance[] = [];
  /** What they weigh: memory never shrinks, and the platform counts it all. */
  #idleBytes = 0;
  /** Requests that have not ended, with the signs of life that the last roll call knew of. */
  readonly #contexts = new Map<RequestContext, number>();
  #calledAt = -Infinity;
  #shutdownMode: Shutdown | undefined;
  /** Resolved when the last request has ended, if a shutdown waits for that. */
  #emptied: Deferred | undefined;

  /** Compiles the module, unless it is compiled, and makes sure that it starts. Throws a ModuleError if it does not. */
  static async instantiate(
    source: BufferSource | WebAssembly.Module,
    options: ProactorOptions = {},
  ): Promise<Proactor> {
    return new Proactor(source instanceof WebAssembly.Module ? source : await compile(source), options);
  }

  constructor(module: WebAssembly.Module, options: ProactorOptions = {}) {
    checkModule(module, options.instantiate);
    const completed = completeOptions(options);
    this.#module = module;
    this.#options = completed;
    this.limits = completed.limits;
    this.clock = completed.clock;
    this.#keepIdle(this.#instantiate());
  }

  /**
   * Answers one request by the guest. Rejects only if it is given something else than a Request: what goes wrong is a
   * response with status 500, and a report. Without a `lifetime`, one whose `signal` is aborted before it is answered is
   * over: what it has in flight is aborted.
   */
  async fetch(request: Request, lifetime?: Lifetime): Promise<Response> {
    return this.answer(request, lifetime);
  }

  /** As `fetch`, for a platform that takes a response too: each promise is a round through its queue. */
  answer(request: Request, lifetime?: Lifetime): Response | Promise<Response> {
    // A grant may call back into this method from inside `submit`. Once its stack has unwound the module is free.
    if (this.#idle[0]?.current) return Promise.resolve().then(() => this.#answer(request, lifetime));
    return this.#answer(request, lifetime);
  }

  #answer(request: Request, lifetime: Lifetime | undefined): Response | Promise<Response> {
    let context: RequestContext | undefined;
    try {
      if (lifetime) this.callTheRoll(lifetime);
      if (this.#shutdownMode) return failureResponse(SHUT_DOWN);
      context = this.newContext(this.#checkOut(), request);
      this.counters.contexts++;
      // Before its first turn: the platform may end it even in the middle of that.
      this.#contexts.set(context, context.signs);
      const answer = context.handle(lifetime);
      // Where there is a lifetime, the platform itself ends what its client has left.
      return lifetime || !(answer instanceof Promise) ? answer : this.#unlessLeft(request.signal, context, answer);
    } catch (error) {
      context?.fail(UNEXPECTED);
      // Asked for only now, since it costs. By its looks: some platforms and libraries have classes of their own.
      if (typeof request?.method !== "string") throw new TypeError("fetch takes a Request", { cause: error });
      this.report({ kind: "unexpected", message: messageOf(error), cause: error });
      return failureResponse(UNEXPECTED);
    }
  }

  /**
   * Ends the proactor: requests that come from now on are answered with 503, and operations that are submitted from
   * now on complete as ShutDown. Graceful: what is in flight completes as it would have. Now: it ends as ShutDown, and
   * its request after its handlers have heard so. Resolves when no request and no instance is left; a graceful
   * shutdown can be cut short by a second call.
   */
  async shutdown(mode: Shutdown = "graceful"): Promise<void> {
    checkNames("shutdown", [mode], ["graceful", "now"]);
    if (this.#shutdownMode !== "now") this.#shutdownMode = mode;
    // A shared one in use goes with its last request.
    for (const instance of this.#idle.splice(0)) if (instance.contexts === 0) instance.retire();
    for (const { instance } of this.#contexts.keys()) instance.accept?.end(Status.ShutDown, SHUT_DOWN.detail);
    void this.#ask([...this.#contexts.keys()].map((context) => [context, context.signs]));
    while (this.#contexts.size > 0) await (this.#emptied ??= deferred()).promise;
    // Who was told of its end by a call hears it now.
    await undefined;
  }

  get shutdownMode(): Shutdown | undefined {
    return this.#shutdownMode;
  }

  /** The simulated host makes contexts whose I/O it can end without a word, as platforms do. */
  protected newContext(instance: Instance, request: Request): RequestContext {
    return new RequestContext(this, instance, request);
  }

  // Instances.

  /** What waits for a request, for those who look whether anything was left behind. */
  protected get idle(): readonly Instance[] {
    return this.#idle;
  }

  #instantiate(): Instance {
    try {
      return new Instance(this, this.#module, this.#options);
    } catch (error) {
      const place = error instanceof GuestAbort ? placeOf(error.place) : "";
      throw new ModuleError(`the module trapped while it started: ${messageOf(error)}${place}`, { cause: error });
    }
  }

  #checkOut(): Instance {
    if (this.#options.isolation !== "shared") return this.#takeIdle() ?? this.#instantiate();
    const instance = this.#idle[0];
    if (instance && !instance.current && !instance.isWornOut) return instance;
    // The platform has killed the request on whose stack the module ran. Nobody knows what it was in the middle of.
    if (instance?.current) this.#condemn(instance);
    else if (instance?.contexts === 0) instance.retire();
    return (this.#idle[0] = this.#instantiate());
  }

  release(context: RequestContext): void {
    const { instance } = context;
    this.counters.contexts--;
    this.#contexts.delete(context);
    if (this.#options.isolation === "shared") this.#leave(context);
    else if (context.fibers === 0 && this.#isReusable(instance)) this.#keepIdle(instance);
    else instance.retire();
    if (this.#contexts.size === 0) this.#emptied?.resolve();
  }

  #keepIdle(instance: Instance): void {
    this.#idle.push(instance);
    this.#idleBytes += instance.memoryBytes;
  }

  #takeIdle(): Instance | undefined {
    const instance = this.#idle.pop();
    if (instance) this.#idleBytes -= instance.memoryBytes;
    return instance;
  }

  /** One request less in a shared instance. One that was replaced goes with its last. */
  #leave(context: RequestContext): void {
    const { instance } = context;
    instance.reclaim(context);
    this.owed(instance);
    if (instance !== this.#idle[0] && instance.contexts === 0) instance.retire();
  }

  owed(instance: Instance): void {
    if (!instance.owesTurn || instance.retired) return;
    // Nobody else might have a turn for a long time, and they wait for what this one held.
    for (const other of this.#contexts.keys()) if (other.instance === instance && other.waits) other.call();
  }

  #isReusable(instance: Instance): boolean {
    // The accept alone may be in flight; anything else belonged to a request that did not end well.
    if (this.#shutdownMode || this.#options.isolation === "request" || instance.retired || instance.admitted > 1)
      return false;
    // On a stack that the platform has cut off, nobody knows what the module was in the middle of.
    if (instance.current) return false;
    return !instance.isWornOut && this.#idleBytes + instance.memoryBytes <= this.limits.idleBytes;
  }

  trapped(context: RequestContext, cause: unknown): void {
    const { instance } = context;
    this.counters.traps++;
    instance.traps++;
    const report: ErrorReport = {
      kind: "trap",
      message: messageOf(cause),
      ...(cause instanceof GuestAbort && cause.place),
      ...handlerOf(instance.queue.running()),
      cause,
    };
    const isShared = this.#options.isolation === "shared";
    // The guest itself said so, and can go on with other requests.
    const isContained = isShared && cause instanceof GuestAbort && instance.traps < this.limits.traps;
    if (!isContained) instance.retire();
    context.fail({ error: "trap", detail: "The module trapped while it handled this request." });
    if (isShared && !isContained) this.#condemn(instance);
    // Last: `onError` may send a request.
    context.report(report);
  }

  /** Fails all requests of a shared instance. The next request gets a new one. */
  #condemn(instance: Instance): void {
    instance.retire();
    if (this.#idle[0] === instance) this.#idle.length = 0;
    for (const context of this.#contexts.keys()) {
      if (context.instance !== instance) continue;
      context.fail({
        error: "condemned",
        detail: "The instance that served this request was replaced.",
      });
    }
  }

  // Killed requests.

  /** Ends a request whose client goes away before it is answered. */
  #unlessLeft(signal: AbortSignal | undefined, context: RequestContext, answer: Promise<Response>): Promise<Response> {
    const leave = (): void => {
      if (context.ended) return;
      // A grant may do that from inside `submit`, and what the turn submits after it would belong to nobody.
      if (context.instance.current) return void Promise.resolve().then(leave);
      this.counters.killed++;
      context.fail({ error: "abandoned", detail: "The client went away." });
    };
    if (signal?.aborted) leave();
    signal?.addEventListener("abort", leave);
    return answer.finally(() => signal?.removeEventListener("abort", leave));
  }

  // The platform says nothing when it kills a request. So now and then a later request asks those that have been still
  // since the last time, and stays until they must have answered. It cannot go by the clock: a burst of requests is
  // begun before any answer is heard, however long that takes. But who waits by a timer comes after all that was due.

  callTheRoll(lifetime?: Lifetime): void {
    if (this.#contexts.size === 0) return;
    const now = this.clock.now();
    if (now - this.#calledAt < ROLL_CALL_MS) return;
    this.#calledAt = now;
    const still = [...this.#contexts].filter(([context, signs]) => context.signs === signs);
    const answers = this.#ask(still);
    for (const context of this.#contexts.keys()) this.#contexts.set(context, context.signs);
    if (still.length > 0) lifetime?.waitUntil(answers);
  }

  /** Asks contexts for a sign of life, and buries those that give none. */
  async #ask(asked: [RequestContext, signs: number][]): Promise<void> {
    if (asked.length === 0) return;
    for (const [context] of asked) context.call();
    for (let waits = 0; waits < ROLL_CALL_WAITS; waits++) {
      await new Promise<void>((resolve) => this.clock.setTimeout(resolve, ROLL_CALL_WAIT_MS));
    }
    for (const [context, signs] of asked) if (context.signs === signs) this.#bury(context);
  }

  #bury(context: RequestContext): void {
    if (context.ended) return;
    this.counters.killed++;
    context.report({ kind: "killed", message: "the platform ended this request without a word" });
    context.fail({ error: "killed", detail: "The platform ended this request." });
  }

  // Reports.

  /** Waits for nothing unless `onError` does: a guest may ask for any number of reports in one turn. */
  report(report: ErrorReport): void {
    try {
      const told = this.#options.onError(report) as Promise<void> | undefined;
      told?.catch?.(reportFailed);
    } catch (error) {
      reportFailed(error);
    }
  }
}

function reportFailed(error: unknown): void {
  logError({ kind: "unexpected", message: `onError threw: ${messageOf(error)}` });
}

/** Not among the types of Workers, where it is there and refuses. */
interface Compiler {
  compile(bytes: BufferSource): Promise<WebAssembly.Module>;
}

async function compile(bytes: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await (WebAssembly as unknown as Compiler).compile(bytes);
  } catch (cause) {
    const advice = `give the bytes of one, or ${IMPORT_ADVICE}`;
    throw new ModuleError(`the module does not compile: ${messageOf(cause)}; ${advice}`, { cause });
  }
}
