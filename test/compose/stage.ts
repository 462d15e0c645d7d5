// Stage: plays scripts on the compiled guest and the real host, in virtual time, and notes what the guest says.

import { kv, origin } from "../../src/index.ts";
import type { ErrorReport, Isolation, KvStore, Limits } from "../../src/index.ts";
import { Simulation, memoryKv } from "../../src/testing/index.ts";
import { PlatformEvent } from "../../src/testing/platform.ts";
import { SimulatedProactor } from "../../src/testing/simulated-host.ts";
import { SAID_BYTES, Said } from "../guest/support/composite.ts";
import { moduleOf } from "../support/hosts.ts";
import { encode, operationsOf } from "./script.ts";
import type { Answer, Shared, Step } from "./script.ts";

/** What a handler got: its results from the outside to the inside, five words each. */
export interface Entry {
  at: number;
  request: number;
  number: number;
  results: number[];
}

export interface Report {
  at: number;
  kind: string;
  message: string;
  /** The number of the request. */
  request: number;
  operation: string | undefined;
  status: number | undefined;
}

/** What the guest counted, and what the host and the world had open then. */
export interface Count {
  at: number;
  inFlight: number;
  bodies: number;
  running: number;
  waiting: number;
}

export interface Call {
  key: number;
  request: number;
  from: number;
  /** When it was answered or aborted. */
  to: number | undefined;
}

export interface StageOptions {
  runtime?: "minimal" | "stub" | undefined;
  isolation?: Isolation;
  limits?: Partial<Limits>;
  /** When the guest's garbage is collected, beside when its runtime likes: before each turn, and in each handler too. */
  collects?: "turns" | "always" | undefined;
}

/** Milliseconds that are longer than any script. */
export const LONG_MS = 0x7fff_ffff;

const ORIGIN = "http://one.test";

interface Collecting {
  run(budget: number): number;
  __collect(): void;
}

/** The instance, whose garbage is collected before each turn. */
function collecting(instance: WebAssembly.Instance): WebAssembly.Instance {
  const { run, __collect, ...rest } = instance.exports as unknown as Collecting;
  const collectAndRun = (budget: number): number => {
    __collect();
    return run(budget);
  };
  return { exports: { ...rest, run: collectAndRun } };
}

export class Stage {
  readonly entries: Entry[] = [];
  readonly reports: Report[] = [];
  readonly counts: Count[] = [];
  readonly words: number[] = [];
  /** Calls to the outside. */
  readonly calls: Call[] = [];
  /** Bodies that are open, and how many were closed twice. */
  openBodies = 0;
  closedTwice = 0;
  readonly simulation: Simulation;
  readonly proactor: SimulatedProactor;
  readonly events: PlatformEvent[] = [];
  #instance!: WebAssembly.Instance;
  readonly #answers = new Map<number, Answer[]>();
  readonly #attempts = new Map<number, number>();

  static async on({ runtime, isolation = "request", limits, collects }: StageOptions = {}): Promise<Stage> {
    return new Stage(await moduleOf(runtime ? `compose.${runtime}` : "compose"), isolation, limits, collects);
  }

  private constructor(
    module: WebAssembly.Module,
    isolation: Isolation,
    limits: Partial<Limits> = {},
    private readonly collects: StageOptions["collects"],
  ) {
    this.simulation = new Simulation({ platform: { connections: Infinity, waitUntilMs: Infinity } });
    this.proactor = new SimulatedProactor(module, {
      resources: { CACHE: kv(this.#store), API: origin(ORIGIN, { fetcher: { fetch: this.#fetch } }) },
      clock: this.simulation.platform.clock,
      isolation,
      limits: { connections: 1000, waitMs: LONG_MS, runs: 1_000_000, ...limits },
      onError: (report) => this.#report(report),
      instantiate: (module, imports) => this.#instantiate(module, imports),
    });
  }

  get #now(): number {
    return this.simulation.clock.now();
  }

  // The guest.

  #instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance {
    const wasi = imports["wasi_snapshot_preview1"]!;
    const randomGet = wasi["random_get"] as (at: number, bytes: number) => number;
    const instance = new WebAssembly.Instance(module, {
      ...imports,
      wasi_snapshot_preview1: {
        ...wasi,
        random_get: (at: number, bytes: number): number => {
          if (bytes !== SAID_BYTES) return randomGet(at, bytes);
          const memory = instance.exports["memory"] as WebAssembly.Memory;
          if (this.collects === "always") (instance.exports as unknown as Collecting).__collect();
          this.#hear([...new Int32Array(memory.buffer, at, SAID_BYTES >> 2)]);
          return 0;
        },
      },
    });
    this.#instance = instance;
    return this.collects ? collecting(instance) : instance;
  }

  /** Of the instance that was made last. */
  get memoryBytes(): number {
    return (this.#instance.exports["memory"] as WebAssembly.Memory).buffer.byteLength;
  }

  /** Warns the instance, as workerd does, that the request on whose stack it runs next is about to be ended. */
  warnOfCpuLimit(): void {
    const { memory, __instance_signal: signal } = this.#instance.exports;
    new Uint32Array((memory as WebAssembly.Memory).buffer)[(signal as WebAssembly.Global).value >> 2] = 24;
  }

  #hear([what, ...words]: number[]): void {
    const at = this.#now;
    const request = this.simulation.platform.running?.index ?? -1;
    if (what === Said.Entered) this.entries.push({ at, request, number: words[0]!, results: [] });
    else if (what === Said.Result) this.entries.at(-1)!.results.push(...words.slice(0, 5));
    else if (what === Said.Word) this.words.push(words[0]!);
    else {
      const [inFlight, running, waiting] = words as [number, number, number];
      this.counts.push({ at, inFlight, running, waiting, bodies: this.openBodies });
    }
  }

  #report({ kind, message, operation, status, request }: ErrorReport): void {
    const number = Number(/\/(\d+)\?/.exec(request ?? "")?.[1] ?? -1);
    this.reports.push({ at: this.#now, kind, message, request: number, operation, status });
  }

  // The world.

  /** Begins a call. Its number decides what it comes to. */
  #call(key: number): { answer: Answer; value: number; call: Call } {
    const attempt = this.#attempts.get(key) ?? 0;
    this.#attempts.set(key, attempt + 1);
    const answers = this.#answers.get(key) ?? [{ ms: 1, status: 404 }];
    const request = this.simulation.platform.running?.index ?? -1;
    const call: Call = { key, request, from: this.#now, to: undefined };
    this.calls.push(call);
    return { answer: answers[Math.min(attempt, answers.length - 1)]!, value: key * 100 + attempt, call };
  }

  #later(ms: number): Promise<void> {
    return new Promise((resolve) => this.simulation.clock.setTimeout(resolve, ms));
  }

  readonly #get = async (key: string): Promise<ArrayBuffer | null> => {
    const { answer, value, call } = this.#call(Number(key));
    await this.#later(answer.ms);
    call.to = this.#now;
    if (answer.status === 0) throw new Error("KV: 429 Too Many Requests");
    return answer.status === 200 ? (new TextEncoder().encode(`${value}`).buffer as ArrayBuffer) : null;
  };

  readonly #store: KvStore = { ...memoryKv(), get: this.#get };

  readonly #fetch = async (url: string, { signal }: RequestInit): Promise<Response> => {
    const { answer, value, call } = this.#call(Number(new URL(url).pathname.slice(1)));
    const aborted = new Promise<never>((_, reject) =>
      signal!.addEventListener("abort", () => {
        call.to ??= this.#now;
        reject(signal!.reason);
      }),
    );
    const ended = this.simulation.platform.running?.ended;
    await Promise.race([this.#later(answer.ms), aborted]);
    // The platform has taken it away together with its request.
    if (ended?.aborted) return new Promise(() => {});
    call.to ??= this.#now;
    if (answer.status === 0) throw new TypeError("the connection broke");
    return new Response(this.#body(`-${value}`, ended), { status: answer.status });
  };

  #body(text: string, ended: AbortSignal | undefined): ReadableStream<Uint8Array> {
    this.openBodies++;
    let open = true;
    const close = (): void => {
      if (open) this.openBodies--;
      else this.closedTwice++;
      open = false;
    };
    ended?.addEventListener("abort", () => open && close());
    let sent = false;
    return new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          if (sent) {
            close();
            return controller.close();
          }
          sent = true;
          controller.enqueue(new TextEncoder().encode(text));
        },
        cancel: close,
      },
      { highWaterMark: 0 },
    );
  }

  // Requests.

  /** Sends a request with a script. Nothing of it has happened yet when this returns. */
  send(shared: Shared, steps: Step[]): PlatformEvent {
    for (const op of operationsOf(steps)) if ("answers" in op) this.#answers.set(op.key, op.answers);
    const event = new PlatformEvent(this.simulation.platform, this.events.length, `request ${this.events.length}`);
    this.events.push(event);
    const request = new Request(`http://localhost/${event.index}?${encode(shared, steps)}`);
    void event
      .enter(() => this.proactor.serve(request, this.simulation, event))
      .then((response) => {
        event.answer();
        return response.body?.cancel();
      });
    return event;
  }

  /** Lets everything end. */
  settle(): Promise<void> {
    return this.simulation.settle();
  }

  /** What is left when all is over, as sentences. */
  leftovers(): string[] {
    const { inFlight, instances, contexts } = this.proactor.counters;
    const left: Record<string, number> = {
      contexts,
      "operations in flight": Math.max(0, inFlight - instances),
      bodies: this.openBodies,
      "bodies closed twice": this.closedTwice,
      violations: this.simulation.platform.violations.length,
    };
    return Object.entries(left)
      .filter(([, count]) => count !== 0)
      .map(([what, count]) => `${count} ${what}`);
  }
}
