// A guest is told what to do by a request, `/path?count=1000&size=16`, and answers `count`.

import { Proactor } from "wasm-proactor";
import type { ProactorOptions } from "wasm-proactor";
import type { Run } from "../../peer.ts";

/** The pump would let other events go first now and then, by a timer, which is not what is measured here. */
export const limits = { runs: 1_000_000_000 };

/** A million at once is what some workloads are about, and a module that has had them is kept. */
const MANY = {
  inFlight: 1_048_576,
  connections: 1_048_576,
  memoryBytes: 2 ** 30,
  idleBytes: 2 ** 30,
};

/** Starts the guest when it is first asked. */
export class Guest {
  readonly #module: WebAssembly.Module;
  readonly #options: ProactorOptions;
  #app: Proactor | undefined;

  constructor(module: WebAssembly.Module, options: ProactorOptions = {}) {
    this.#module = module;
    this.#options = options;
  }

  /** What it does under a path. */
  at(path: string): Run {
    return (count, size) => this.ask(path, count, size);
  }

  async ask(path: string, count: number, size: number): Promise<void> {
    this.#app ??= new Proactor(this.#module, { ...this.#options, limits: { ...limits, ...MANY } });
    const response = await this.#app.fetch(new Request(`http://bench/${path}?count=${count}&size=${size}`));
    const text = await response.text();
    if (text !== String(count)) throw new Error(`the guest answers ${response.status} ${text.slice(0, 200)}`);
  }
}
