// Simulated host: the real proactor, whose contexts get their I/O from simulated events.
//
// A context finds the grants under its own event: every call, timer and body is tied to the request that asked for it,
// so that the platform can take them all away at once, as it does to a request that it kills.

import type { Host } from "../host.ts";
import type { Instance } from "../instance.ts";
import { Proactor } from "../proactor.ts";
import type { ContextFailure } from "../report.ts";
import { RequestContext } from "../request-context.ts";
import type { Grant, KvStore, OriginGrant, Resource } from "../resource.ts";
import type { PlatformEvent } from "./platform.ts";
import type { Simulation } from "./simulation.ts";

export class SimulatedContext extends RequestContext {
  readonly #world: Simulation;
  readonly #event: PlatformEvent;
  readonly #grants = new Map<Grant, Grant>();

  constructor(host: Host, instance: Instance, request: Request, world: Simulation, event: PlatformEvent) {
    super(host, instance, request);
    this.#world = world;
    this.#event = event;
  }

  /** On the event's own stack, and never once the platform has ended it. */
  override turn(): void {
    if (!this.#event.killed) this.#event.enter(() => super.turn());
  }

  /** What a killed request is told it does not hear. */
  override call(): void {
    if (!this.#event.killed) super.call();
  }

  override fail(failure: ContextFailure): void {
    if (!this.ended) this.#event.failed = true;
    super.fail(failure);
  }

  override resource(number: number): Resource | undefined {
    const resource = super.resource(number);
    return resource?.kind === "kv" || resource?.kind === "origin" ? this.#own(resource) : resource;
  }

  #own(grant: Grant): Grant {
    let own = this.#grants.get(grant);
    if (!own) {
      own = grant.kind === "kv" ? { ...grant, store: this.#ownStore(grant.store) } : this.#ownOrigin(grant);
      this.#grants.set(grant, own);
    }
    return own;
  }

  #ownStore(store: KvStore): KvStore {
    const call = <T>(what: string, call: () => Promise<T>): Promise<T> =>
      this.#maybeTwice(what, this.#event.call(call));
    return {
      get: (key, options) => call(`get ${key}`, () => store.get(key, options)),
      getWithMetadata: (key, options) => call(`get ${key}`, () => store.getWithMetadata(key, options)),
      put: (key, value, options) => call(`put ${key}`, () => store.put(key, value, options)),
      delete: (key) => call(`delete ${key}`, () => store.delete(key)),
      list: (options) => call(`list ${options.prefix ?? ""}`, () => store.list(options)),
    };
  }

  #ownOrigin(grant: OriginGrant): OriginGrant {
    const fetch = (url: string, init: RequestInit): Promise<Response> => {
      const response = this.#event.call(() => grant.fetch(url, init), init.signal);
      return this.#maybeTwice(`${init.method ?? "GET"} ${url}`, response);
    };
    return { ...grant, fetch };
  }

  #maybeTwice<T>(what: string, promise: Promise<T>): Promise<T> {
    return this.#world.strikes("settledTwice", what) ? twice(promise) : promise;
  }

  /** Fetches that go on although nobody waits for them. None may: what has ended was aborted. */
  get forgottenFetches(): number {
    const wanted = new Set(this.inFlight.items().map(({ signal }) => signal));
    return [...this.#event.fetches].filter((signal) => !signal.aborted && !wanted.has(signal)).length;
  }
}

/** Behaves as badly as what only looks like a promise may: settles again and again, in both ways. */
function twice<T>(promise: Promise<T>): Promise<T> {
  const thenable = {
    // oxlint-disable-next-line unicorn/no-thenable -- that it is one is the point.
    then(resolve: (result: T) => unknown, reject: (error: unknown) => unknown): void {
      const again = (): void => void reject(new Error("simulated second settlement"));
      promise.then((result) => {
        resolve(result);
        resolve(result);
      }, reject);
      promise.then(again, again);
    },
  };
  return thenable as unknown as Promise<T>;
}

export class SimulatedProactor extends Proactor {
  readonly #served = new WeakMap<Request, readonly [Simulation, PlatformEvent]>();
  readonly #contexts = new WeakMap<PlatformEvent, SimulatedContext>();

  /** Serves a request as an event of the platform. */
  serve(request: Request, world: Simulation, event: PlatformEvent): Promise<Response> {
    this.#served.set(request, [world, event]);
    return this.fetch(request, event);
  }

  protected override newContext(instance: Instance, request: Request): RequestContext {
    const served = this.#served.get(request);
    if (!served) return super.newContext(instance, request);
    const context = new SimulatedContext(this, instance, request, ...served);
    this.#contexts.set(served[1], context);
    return context;
  }

  contextOf(event: PlatformEvent): SimulatedContext | undefined {
    return this.#contexts.get(event);
  }

  /** What is left in the instances that wait for a request, as sentences. `granted` — resources opened at the start. */
  leftovers(granted: number): string[] {
    return this.idle.flatMap(({ admitted, heldBytes, resources, contexts, context }, index) => {
      const left = { "operations in flight": Math.max(0, admitted - 1), "bytes of arguments": heldBytes, contexts };
      const all = { ...left, resources: resources - granted, "completions of nobody": context.pending.length };
      const found = Object.entries(all).filter(([, count]) => count !== 0);
      return found.map(([what, count]) => `idle instance ${index} is left with ${count} ${what}`);
    });
  }

  /** Resources that the first instance opened while it started. */
  get granted(): number {
    return this.idle[0]!.resources;
  }
}
