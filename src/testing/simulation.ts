// Simulation: the world around a guest, with virtual time, and order and faults decided by one seed.
//
// The guest's binary and the proactor are the real ones. Only the clock and what the grants reach are simulated, so a
// run is over in no time, fails the same way again with the same seed, and can be as unfriendly as it likes.

import { memoryKv } from "../kv-memory.ts";
import { kv, origin } from "../resource.ts";
import type { KvGrant, KvRight, KvStore, OriginGrant } from "../resource.ts";
import { Random } from "./random.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** Probabilities from 0 to 1. */
export interface Faults {
  /** A KV call fails with 429. */
  kvRateLimited: number;
  /** A fetch fails before there is a response. */
  network: number;
  /** A response's body breaks off in the middle. */
  bodyBroken: number;
  /** An aborted fetch goes on and answers all the same. */
  abortIgnored: number;
}

export interface SimulationOptions {
  /** Decides delays and faults; 1 if not given. */
  seed?: number;
  /** The least and the most milliseconds that a call takes; 1 to 50 if not given. */
  delay?: readonly [number, number];
  faults?: Partial<Faults>;
}

/** What an origin's author writes: a request in, a response out. */
export type Upstream = (request: Request) => Response | Promise<Response>;

const NO_FAULTS: Faults = { kvRateLimited: 0, network: 0, bodyBroken: 0, abortIgnored: 0 };
const BODY_CHUNK_BYTES = 16_384;

export class Simulation {
  readonly seed: number;
  readonly clock = new VirtualClock();
  readonly random: Random;
  /** May be changed while the simulation runs: faults that stop let a test ask whether everything ends. */
  faults: Faults;
  /** Fetches under way, and how many at most. */
  fetching = 0;
  fetchingMost = 0;
  /** Fetches whose signal was aborted before they were done. */
  aborted = 0;
  /** Response bodies that were neither read to their end nor cancelled. Zero once all is over. */
  openBodies = 0;
  readonly #delay: readonly [number, number];

  constructor({ seed = 1, delay = [1, 50], faults = {} }: SimulationOptions = {}) {
    this.seed = seed;
    this.random = new Random(seed);
    this.#delay = delay;
    this.faults = { ...NO_FAULTS, ...faults };
  }

  /** A granted KV namespace, of its own or over `store`, whose calls take time. */
  kv(options: { rights?: readonly KvRight[]; store?: KvStore } = {}): KvGrant {
    const store = options.store ?? memoryKv(this.clock);
    const later = <T>(call: () => Promise<T>): Promise<T> => this.#later().then(() => this.#kvCall(call));
    const simulated: KvStore = {
      get: (...args) => later(() => store.get(...args)),
      getWithMetadata: (...args) => later(() => store.getWithMetadata(...args)),
      put: (...args) => later(() => store.put(...args)),
      delete: (...args) => later(() => store.delete(...args)),
      list: (...args) => later(() => store.list(...args)),
    };
    return kv(simulated, options.rights ? { rights: options.rights } : {});
  }

  async #kvCall<T>(call: () => Promise<T>): Promise<T> {
    if (this.random.chance(this.faults.kvRateLimited)) throw new Error("KV: 429 Too Many Requests");
    return call();
  }

  /** Granted origins that `upstream` plays; its responses take time and their bodies are counted. */
  origin(origins: string | readonly string[], upstream: Upstream): OriginGrant {
    return origin(origins, { fetcher: { fetch: (url, init) => this.#fetch(url, init, upstream) } });
  }

  async #fetch(url: string, init: RequestInit, upstream: Upstream): Promise<Response> {
    const { signal, ...rest } = init;
    this.fetching++;
    this.fetchingMost = Math.max(this.fetchingMost, this.fetching);
    try {
      const heeded = this.#heeded(signal);
      await this.#laterUnless(heeded);
      if (this.random.chance(this.faults.network)) throw new TypeError("simulated network failure");
      const response = await this.#ask(upstream, new Request(url, rest), heeded);
      // The network has no way to send a body in answer to a HEAD.
      return rest.method === "HEAD" ? new Response(null, response) : this.#counted(response);
    } finally {
      this.fetching--;
    }
  }

  /** Counts an abort, and hides it from a fetch that is to ignore it. */
  #heeded(signal: AbortSignal | null | undefined): AbortSignal | undefined {
    const ignored = this.random.chance(this.faults.abortIgnored);
    signal?.addEventListener("abort", () => this.aborted++);
    return signal && !ignored ? signal : undefined;
  }

  /** Waits, but no longer than until the signal is aborted. */
  #laterUnless(signal: AbortSignal | undefined): Promise<void> {
    let timer: unknown;
    const delay = new Promise<void>((resolve) => {
      timer = this.clock.setTimeout(resolve, this.#someDelay());
    });
    return unlessAborted(delay, signal, () => this.clock.clearTimeout(timer));
  }

  /** The upstream's response, unless the signal is aborted first. One that comes later nobody reads. */
  #ask(upstream: Upstream, request: Request, signal: AbortSignal | undefined): Promise<Response> {
    const response = Promise.resolve(request).then(upstream);
    const drop = (): void => void response.then(({ body }) => body?.cancel()).catch(() => {});
    return unlessAborted(response, signal, drop);
  }

  #later(): Promise<void> {
    return new Promise((resolve) => this.clock.setTimeout(resolve, this.#someDelay()));
  }

  #someDelay(): number {
    return this.random.between(...this.#delay);
  }

  /** The response with a body that is in the ledger until it is read to its end or cancelled. */
  #counted(response: Response): Response {
    if (!response.body) return response;
    const reader = response.body.getReader();
    const breaks = this.random.chance(this.faults.bodyBroken);
    let open = true;
    const close = (): void => {
      if (open) this.openBodies--;
      open = false;
    };
    this.openBodies++;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = await reader.read().catch((error: unknown) => {
            close();
            throw error;
          });
          if (value)
            for (let at = 0; at < value.length; at += BODY_CHUNK_BYTES)
              controller.enqueue(value.subarray(at, at + BODY_CHUNK_BYTES));
          if (!done && !breaks) return;
          close();
          if (breaks) controller.error(new Error("simulated break of the body"));
          else controller.close();
        },
        cancel: (reason) => {
          close();
          return reader.cancel(reason);
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, response);
  }

  /** Lets time pass until `promise` settles. Rejects, and names the seed, if it never will. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = (): void => void (settled = true);
    promise.then(settle, settle);
    for (;;) {
      await eventsDone();
      if (settled) return promise;
      if (this.clock.size === 0) throw new Error(`simulation: the promise never settles (seed ${this.seed})`);
      this.clock.fireNext();
    }
  }

  /** Lets `ms` milliseconds pass, with all that is due in them. */
  async advance(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    await eventsDone();
    while (this.clock.earliest <= end) {
      this.clock.fireNext();
      await eventsDone();
    }
    this.clock.moveTo(end);
  }

  /** Lets time pass until no timer is armed. */
  async settle(): Promise<void> {
    await eventsDone();
    while (this.clock.size > 0) {
      this.clock.fireNext();
      await eventsDone();
    }
  }
}

/** Node's is the cheapest way to wait until all reactions have run; everybody has the other. */
const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };

function eventsDone(): Promise<void> {
  return new Promise((resolve) => (setImmediate ? setImmediate(resolve) : setTimeout(resolve, 0)));
}

/** Settles as `promise` does, unless the signal is aborted first: then gives it up and rejects. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined, giveUp: () => void): Promise<T> {
  if (!signal) return promise;
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
