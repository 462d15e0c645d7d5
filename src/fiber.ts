// Fibers: runs those of a guest by JSPI, each on a stack that the engine provides.
//
// A fiber is resumed by a promise, so it goes on after the turn that resumed it, and on its own context's stack. What runs
// of it until it waits again is a turn too: its context is the current one, and owns what it submits.

import type { Context } from "./context.ts";
import { deferred } from "./deferred.ts";
import type { Deferred } from "./deferred.ts";
import type { Instance } from "./instance.ts";
import { systemInstantiate } from "./options.ts";
import type { Instantiate } from "./options.ts";
import { RequestContext } from "./request-context.ts";

/** What `resume` answers: nothing has run yet. */
const LATER = -1;

/** What an engine with JSPI has, and TypeScript does not know yet. */
interface Jspi {
  Suspending: new (fn: () => Promise<void>) => WebAssembly.ImportValue;
  promising(fn: WebAssembly.ExportValue): RunFiber;
}

type RunFiber = (fiber: number) => Promise<void>;

/**
 * Runs the fibers of a guest on stacks of the engine: `{ instantiate: jspi() }`. Throws a TypeError if the engine has none.
 * `instantiate` makes the instance, if it is not made as usual.
 */
export function jspi(instantiate: Instantiate = systemInstantiate): Instantiate {
  const engine = WebAssembly as unknown as Jspi;
  if (!engine.Suspending)
    throw new TypeError("jspi: this engine has no JSPI; put the module through wasm-proactor-asyncify instead");
  return (module, imports, owner) => {
    const stacks = new Stacks(owner);
    const { abort } = imports["proactor_v1"] as { abort(...args: number[]): never };
    const proactor_v1_fiber = {
      resume: stacks.resume,
      enter: stacks.enter,
      leave: stacks.leave,
      suspend: new engine.Suspending(stacks.suspend),
    };
    const instance = instantiate(
      module,
      {
        ...imports,
        proactor_v1: { ...imports["proactor_v1"], abort: (...args: number[]) => stacks.aborting(() => abort(...args)) },
        proactor_v1_fiber,
      },
      owner,
    );
    const run = instance.exports["run_fiber"];
    if (run) {
      stacks.run = engine.promising(run);
      stacks.abandon = run as (fiber: number) => void;
    }
    return instance;
  };
}

/** A fiber that has begun and not ended. */
interface Fiber {
  readonly context: RequestContext;
  /** Resolved when it is to go on. */
  resumed: Deferred;
  /** Stretches up to this one, its own and others', between which nothing had to be waited for. */
  hurries: number;
  /** Whether it has left the module and does not wait: it has ended. */
  hasLeft: boolean;
}

class Stacks {
  run: RunFiber | undefined;
  /** Has the guest enter a fiber whose context is over, which therefore ends at once: on no stack of its own. */
  abandon: ((fiber: number) => void) | undefined;
  readonly #instance: Instance;
  /** Those of each context, which go with it. */
  readonly #fibers = new WeakMap<Context, Map<number, Fiber>>();
  /** Those that are to run, and do not yet. */
  readonly #ready = new Map<number, Fiber>();
  #running: Fiber | undefined;
  /** What is about to wait. */
  #leaving: Fiber | undefined;

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  // The imports.

  readonly resume = (number: number): number => {
    const context = this.#instance.current;
    if (!(context instanceof RequestContext)) throw new Error("a fiber belongs to a request");
    if (!this.run) throw new Error('the module must `export { run, run_fiber } from "wasm-proactor"`');
    let fibers = this.#fibers.get(context);
    if (!fibers) this.#fibers.set(context, (fibers = new Map()));
    let fiber = fibers.get(number);
    // The number is an address, which another fiber may have before the end of the last one is heard of.
    if (!fiber || fiber.hasLeft) {
      if (fibers.size >= context.host.limits.inFlight) throw new Error("too many fibers");
      fiber = { context, resumed: deferred(), hurries: 0, hasLeft: false };
      fibers.set(number, fiber);
      void this.#begin(number, fiber, fibers);
    }
    if (this.#ready.get(number) === fiber) return LATER;
    this.#ready.set(number, fiber);
    context.fibers++;
    if (this.#running) fiber.hurries = this.#running.hurries + 1;
    this.#afterOthers(fiber, fiber.resumed.resolve, this.#parked(number, fiber));
    return LATER;
  };

  readonly enter = (number: number): number => {
    const instance = this.#instance;
    const fiber = this.#ready.get(number);
    if (!fiber || instance.current || instance.retired) throw new Error("this fiber cannot run now");
    this.#ready.delete(number);
    if (fiber.context.ended) {
      // What it held is given back by the guest's next turn.
      instance.interrupted = true;
      fiber.context.host.owed(instance);
      return 0;
    }

    this.#running = fiber;
    fiber.resumed = deferred();
    instance.current = fiber.context;
    return 1;
  };

  readonly leave = (number: number): void => {
    const fiber = this.#running;
    if (!fiber) throw new Error("no fiber runs");
    this.#stop();
    this.#leaving = fiber;
    fiber.hasLeft = true;
    const { context } = fiber;
    // What has resumed itself counts already.
    if (this.#ready.get(number) !== fiber) fiber.hurries = context.pending.length > 0 ? fiber.hurries + 1 : 0;
    this.#afterOthers(
      fiber,
      () => context.wake(),
      () => context.turn(),
    );
  };

  readonly suspend = (): Promise<void> => {
    const fiber = this.#leaving;
    if (!fiber) throw new Error("no fiber was left");
    this.#leaving = undefined;
    fiber.hasLeft = false;
    return fiber.resumed.promise;
  };

  /** An abort ends what runs at once: the instance may go on before the fiber's promise is rejected. */
  aborting(abort: () => never): never {
    try {
      return abort();
    } finally {
      this.#stop();
    }
  }

  /** Nobody else gets a turn between promises. So now and then, other events of the platform go first. */
  #afterOthers(fiber: Fiber, now: () => void, later: () => void): void {
    if (!hurriesTooMuch(fiber)) return now();
    fiber.hurries = 0;
    fiber.context.deadlines.add(0, later);
  }

  /** How a fiber goes on after others. If its context ends before, its guest hears so on whichever stack is next. */
  #parked(number: number, fiber: Fiber): () => void {
    const { context, resumed } = fiber;
    const abandon = (): void => this.abandon!(number);
    if (hurriesTooMuch(fiber)) (context.parked ??= new Set()).add(abandon);
    return () => {
      context.parked?.delete(abandon);
      resumed.resolve();
    };
  }

  // From begin to end.

  async #begin(number: number, fiber: Fiber, fibers: Map<number, Fiber>): Promise<void> {
    await fiber.resumed.promise;
    try {
      if (this.#instance.retired) return;
      await this.run!(number);
    } catch (error) {
      this.#trapped(fiber, error);
    } finally {
      if (fibers.get(number) === fiber) fibers.delete(number);
    }
    // Whoever keeps the contract has entered and left.
    if (this.#running === fiber) this.#stop();
    if (this.#ready.get(number) === fiber) {
      this.#ready.delete(number);
      fiber.context.fibers--;
    }
    fiber.context.wake();
  }

  #trapped(fiber: Fiber, error: unknown): void {
    if (this.#running === fiber) this.#stop();
    const { context } = fiber;
    if (context.ended) return;
    // As after an abort of a turn: the guest tidies up when it is called again, and others may wait for what it held.
    this.#instance.interrupted = true;
    // No completion of the last turn was what ran.
    this.#instance.queue.begin(0, 0, 0);
    context.host.trapped(context, error);
  }

  #stop(): void {
    if (!this.#running) return;
    this.#running.context.fibers--;
    this.#running = undefined;
    this.#instance.current = undefined;
  }
}

function hurriesTooMuch({ context, hurries }: Fiber): boolean {
  return hurries > context.host.limits.runs;
}
