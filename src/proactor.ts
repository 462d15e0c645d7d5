// Proactor: instances of one module, and which of them serves which request.
//
// `isolation` decides how far a trap reaches. "request": a new instance for each request. "pooled": one request at a
// time in each instance, which is reused after a clean end. "shared": many requests at once in one instance; an abort
// of the guest costs one of them, anything worse costs them all, and a new instance takes over.

import { systemClock } from "./deadlines.ts";
import type { Clock } from "./deadlines.ts";
import { messageOf } from "./failure.ts";
import { newCounters } from "./host.ts";
import type { Counters, Host } from "./host.ts";
import { GuestAbort, Instance } from "./instance.ts";
import type { Trap } from "./instance.ts";
import { completeLimits } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { ModuleError, checkModule } from "./module.ts";
import { nameOf } from "./processors.ts";
import { failureResponse, formatReport, placeOf } from "./report.ts";
import type { ErrorReport, OnError } from "./report.ts";
import { RequestContext } from "./request-context.ts";
import type { Lifetime } from "./request-context.ts";
import type { Grants } from "./resource.ts";

export type Isolation = "request" | "pooled" | "shared";

export interface ProactorOptions {
  /** What the guest may open, by name. */
  resources?: Grants;
  /** How far a trap reaches; "pooled" if not given. */
  isolation?: Isolation;
  limits?: Partial<Limits>;
  /** Told of what no handler of the guest has dealt with. By default each becomes a line of `console.error`. */
  onError?: OnError;
  /** The platform's time; virtual in tests. */
  clock?: Clock;
}

/** Milliseconds between two calls for signs of life. */
const SIGNS_MS = 250;
/** Calls that a context may leave unanswered before it counts as killed. One can be late under load; two are not. */
const SIGNS_MISSED_MAX = 2;

export class Proactor implements Host {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly counters: Counters = newCounters();
  readonly #module: WebAssembly.Module;
  readonly #resources: Grants;
  readonly #isolation: Isolation;
  readonly #onError: OnError;
  /** Instances that a request may have: clean, and for itself unless isolation is "shared". */
  readonly #idle: Instance[] = [];
  /** Requests that have not ended, with the signs of life that they have missed. */
  readonly #contexts = new Map<RequestContext, number>();
  #signsAt = 0;

  /** Compiles the module, unless it is compiled, and makes sure that it starts. Throws a ModuleError if it does not. */
  static async instantiate(
    source: BufferSource | WebAssembly.Module,
    options: ProactorOptions = {},
  ): Promise<Proactor> {
    return new Proactor(source instanceof WebAssembly.Module ? source : await compile(source), options);
  }

  constructor(module: WebAssembly.Module, options: ProactorOptions = {}) {
    checkModule(module);
    this.#module = module;
    this.#resources = options.resources ?? {};
    this.#isolation = checkedIsolation(options.isolation ?? "pooled");
    this.#onError = options.onError ?? ((report) => console.error(formatReport(report)));
    this.limits = completeLimits(options.limits);
    this.clock = options.clock ?? systemClock;
    this.#idle.push(this.#instantiate());
  }

  /** Answers one request by the guest. Rejects never: what goes wrong is a response with status 500, and a report. */
  async fetch(request: Request, lifetime?: Lifetime): Promise<Response> {
    this.#callForSigns();
    try {
      // A grant may call back into this method from inside `submit`. Once its stack has unwound the module is free.
      if (this.#idle[0]?.current) await Promise.resolve();
      const context = new RequestContext(this, this.#checkOut(), request);
      this.counters.contexts++;
      // Before its first turn: the platform may end it even in the middle of that.
      this.#contexts.set(context, 0);
      return await context.handle(lifetime);
    } catch (error) {
      this.report({ kind: "unexpected", message: messageOf(error), cause: error });
      return failureResponse({ error: "unexpected", detail: "The host failed while it handled this request." });
    }
  }

  // Instances.

  #instantiate(): Instance {
    try {
      return new Instance(this, this.#module, this.#resources);
    } catch (error) {
      const place = error instanceof GuestAbort ? placeOf(error) : "";
      throw new ModuleError(`the module trapped while it started: ${messageOf(error)}${place}`, { cause: error });
    }
  }

  #checkOut(): Instance {
    if (this.#isolation !== "shared") return this.#idle.pop() ?? this.#instantiate();
    const instance = this.#idle[0];
    if (instance && instance.current === undefined && !instance.isWornOut) return instance;
    // The platform has killed the request on whose stack the module ran. Nobody knows what it was in the middle of.
    if (instance?.current) this.#condemn(instance);
    else if (instance?.contexts === 0) instance.retire();
    this.#idle[0] = this.#instantiate();
    return this.#idle[0];
  }

  release(context: RequestContext): void {
    const { instance } = context;
    this.counters.contexts--;
    this.#contexts.delete(context);
    if (this.#isolation === "shared") this.#leave(context);
    else if (this.#isReusable(instance)) this.#idle.push(instance);
    else instance.retire();
  }

  /** One request less in a shared instance. One that was replaced goes with its last. */
  #leave(context: RequestContext): void {
    const { instance } = context;
    instance.reclaim(context);
    if (instance !== this.#idle[0] && instance.contexts === 0) instance.retire();
  }

  #isReusable(instance: Instance): boolean {
    // The accept alone may be in flight; anything else belonged to a request that did not end well.
    if (this.#isolation === "request" || instance.retired || instance.admitted > 1) return false;
    // On a stack that the platform has cut off, nobody knows what the module was in the middle of.
    if (instance.current) return false;
    return !instance.isWornOut && this.#idle.length < this.limits.idleInstances;
  }

  trapped(context: RequestContext, trap: Trap): void {
    const { instance } = context;
    this.counters.traps++;
    instance.traps++;
    this.report(trapReport(context, trap));
    const isContained = this.#isolation === "shared" && trap.contained && instance.traps < this.limits.traps;
    if (!isContained) instance.retire();
    context.fail({ error: "trap", detail: "The module trapped while it handled this request." });
    if (!isContained && this.#isolation === "shared") this.#condemn(instance);
  }

  /** Fails all requests of a shared instance. The next request gets a new one. */
  #condemn(instance: Instance): void {
    instance.retire();
    if (this.#idle[0] === instance) this.#idle.length = 0;
    for (const context of this.#contexts.keys()) {
      if (context.instance !== instance) continue;
      context.fail({
        error: "condemned",
        detail: "The instance that this request shared with others had to be replaced.",
      });
    }
  }

  // Killed requests.

  /** The platform says nothing when it kills a request. So all of them are asked now and then, by later ones. */
  #callForSigns(): void {
    if (this.#contexts.size === 0) return;
    const now = this.clock.now();
    if (now - this.#signsAt < SIGNS_MS) return;
    this.#signsAt = now;
    for (const [context, missed] of this.#contexts) {
      if (context.ping()) this.#contexts.set(context, 0);
      else if (missed + 1 < SIGNS_MISSED_MAX) this.#contexts.set(context, missed + 1);
      else this.#bury(context);
    }
  }

  #bury(context: RequestContext): void {
    this.counters.killed++;
    this.report({ kind: "killed", message: "the platform ended this request without a word", request: context.title });
    context.fail({ error: "killed", detail: "The platform ended this request." });
  }

  // Reports.

  report(report: ErrorReport): void {
    try {
      this.#onError(report);
    } catch (error) {
      console.error(formatReport({ kind: "unexpected", message: `onError threw: ${messageOf(error)}` }));
    }
  }
}

function trapReport(context: RequestContext, { message, file, line, column, completion, cause }: Trap): ErrorReport {
  return {
    kind: "trap",
    message,
    ...(file && { file, line, column }),
    ...(completion && {
      operation: nameOf(completion),
      token: { slot: completion.slot, generation: completion.generation },
    }),
    request: context.title,
    cause,
  };
}

function checkedIsolation(isolation: Isolation): Isolation {
  if (["request", "pooled", "shared"].includes(isolation)) return isolation;
  throw new TypeError(`isolation: "${isolation}" is none of "request", "pooled" and "shared"`);
}

/** Not among the types of Workers, where it is there and refuses. */
const webAssembly = WebAssembly as unknown as { compile(bytes: BufferSource): Promise<WebAssembly.Module> };

async function compile(bytes: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await webAssembly.compile(bytes);
  } catch (error) {
    if (error instanceof WebAssembly.CompileError && /disallowed|embedder/i.test(error.message)) {
      throw new ModuleError(
        "this platform compiles no bytes at run time: import the .wasm file, which gives a WebAssembly.Module, and pass that",
        { cause: error },
      );
    }
    throw new ModuleError(`not a WebAssembly module: ${messageOf(error)}`, { cause: error });
  }
}
