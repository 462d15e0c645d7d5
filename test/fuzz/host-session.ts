// Host session: one script against one proactor in a simulated world, from the first request to a healthy one at the
// end, and what must hold after it.

import { Proactor, kv } from "../../src/index.ts";
import type { ErrorReport, Grants } from "../../src/index.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { memoryKv } from "../../src/kv-memory.ts";
import type { KvStore } from "../../src/resource.ts";
import { Simulation } from "../../src/testing/index.ts";
import type { HostScript, Turn } from "./host-script.ts";
import { HostileGuest } from "./hostile-guest.ts";
import type { Imports, Run } from "./hostile-guest.ts";

export interface Outcome {
  cases: number;
  /** What promise was broken, as a sentence. */
  violation: string | undefined;
}

/** A module as the host wants it; what it would do, a HostileGuest does. */
export const MODULE_TEXT = `(module
  (memory (export "memory") 1)
  (func (export "_initialize"))
  (func (export "run") (param i32) (result i32) (i32.const 0)))`;

/** Low, so that scripts reach them. */
const LIMITS = {
  ...DEFAULT_LIMITS,
  inFlight: 160,
  budget: 64,
  runs: 4,
  argumentBytes: 16_384,
  resources: 40,
  bodyBytes: 16_384,
  redirects: 2,
  traps: 4,
};

const FAULTS = { kvRateLimited: 0.05, network: 0.05, bodyBroken: 0.05, abortIgnored: 0.2 };

export async function attackHost(script: HostScript, module: WebAssembly.Module): Promise<Outcome> {
  const session = new HostSession(script, module);
  await session.play();
  return { cases: session.run.cases, violation: session.run.violation };
}

class HostSession {
  readonly #script: HostScript;
  readonly #world: Simulation;
  readonly #proactor: Proactor;
  readonly #turns: Turn[];
  readonly #guests: HostileGuest[] = [];
  #sent = 0;
  readonly run: Run;

  constructor(script: HostScript, module: WebAssembly.Module) {
    this.#script = script;
    this.#world = new Simulation({ seed: script.seed, delay: [0, 20], faults: FAULTS });
    this.#turns = [...script.turns];
    this.run = {
      limits: LIMITS,
      isShared: script.isolation === "shared",
      next: () => this.#turns.shift(),
      puts: new Set(),
      cases: 0,
      violation: undefined,
      blind: false,
      healthy: false,
    };
    this.#proactor = new Proactor(module, {
      isolation: script.isolation,
      limits: LIMITS,
      clock: this.#world.clock,
      resources: grants(this.#world, this.run, this.#fail),
      onError: this.#onError,
      instantiate: this.#instantiate,
    });
  }

  readonly #fail = (message: string): void => void (this.run.violation ??= message);

  readonly #onError = ({ kind, message, cause }: ErrorReport): void => {
    if (kind === "unexpected") this.#fail(`the host failed: ${(cause as Error)?.stack ?? message}`);
  };

  readonly #instantiate = (_module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance => {
    const guest = new HostileGuest(this.run, imports["proactor_v1"] as Imports);
    this.#guests.push(guest);
    return { exports: guest.exports };
  };

  async play(): Promise<void> {
    try {
      while (this.#turns.length > 0 && !this.run.violation)
        await this.#world.run(Promise.all(Array.from({ length: this.#script.requests }, () => this.#send())));
      await this.#world.settle();
      if (!this.run.violation) await this.#probe();
      await this.#world.settle();
    } catch (error) {
      this.#fail(`the platform saw ${(error as Error).stack}`);
    }
    this.#checkLedgers();
  }

  async #send(): Promise<number> {
    const body = this.#sent++ % 2 === 0 ? null : "a body";
    const request = new Request(`http://guest.test/${this.#sent}`, { method: "POST", body });
    const response = await this.#proactor.fetch(request);
    // A body may break off; that is its reader's business.
    if (response.body) await response.arrayBuffer().catch(() => {});
    return response.status;
  }

  /** A healthy request, which finds out what was not given back. */
  async #probe(): Promise<void> {
    this.run.healthy = true;
    const status = await this.#world.run(this.#send());
    if (status !== 200) this.#fail(`a healthy request was answered with ${status}`);
  }

  #checkLedgers(): void {
    const { contexts, inFlight, instances } = this.#proactor.counters;
    const { clock, openBodies, fetching } = this.#world;
    if (contexts !== 0) this.#fail(`${contexts} requests have not ended`);
    // Each instance has its accept.
    if (inFlight !== instances) this.#fail(`${inFlight} operations are in flight in ${instances} instances`);
    if (clock.size > 0) this.#fail(`${clock.size} timers are armed`);
    if (openBodies + fetching > 0) this.#fail(`${openBodies} bodies and ${fetching} fetches are open`);
    for (const guest of this.#guests) {
      // Who trapped is never called again; who aborted hears of what it left behind with the next request.
      if (this.run.blind || guest.trapped || (guest.aborted && !guest.served)) continue;
      if (guest.unfinished.length > 0) this.#fail(`never completed: ${guest.unfinished.join(", ")}`);
    }
  }
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

function grants(world: Simulation, run: Run, fail: (message: string) => void): Grants {
  const store = memoryKv(world.clock);
  const watched: KvStore = {
    ...store,
    put: (key, value, options) => {
      const text = `${latin1(Buffer.from(key))}\0${latin1(new Uint8Array(value))}`;
      if (!run.puts.has(text)) fail(`put: "${key}" got bytes that were never submitted`);
      return store.put(key, value, options);
    },
  };
  const refused = async (): Promise<never> => {
    fail("a store was written or listed that may only be read");
    throw new Error("refused");
  };
  const readOnly: KvStore = { ...store, put: refused, delete: refused, list: refused };
  return {
    STORE: world.kv({ store: watched }),
    READ: kv(readOnly, { rights: ["read"] }),
    API: world.origin("https://api.test", (request) => upstream(request, fail)),
  };
}

function upstream({ url }: Request, fail: (message: string) => void): Response {
  const { origin, pathname } = new URL(url);
  if (origin !== "https://api.test") fail(`fetch reached ${origin}, which was not granted`);
  switch (pathname) {
    case "/big":
      return new Response("b".repeat(20_000));
    case "/redirect":
      return new Response(null, { status: 302, headers: { location: "/text" } });
    case "/away":
      return new Response(null, { status: 302, headers: { location: "https://other.test/" } });
    case "/missing":
      return new Response(null, { status: 404 });
    default:
      return new Response("text");
  }
}
