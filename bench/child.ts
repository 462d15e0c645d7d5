// A cell of its own process: no other cell's garbage and no other cell's types are in its way.

import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { path } from "../scripts/paths.ts";

/** Runs a file of bench/node/ and asks it for measurements. */
export class Child {
  readonly #process: ChildProcess;

  constructor(file: string, args: string[], execArgv: string[] = []) {
    this.#process = fork(path("bench/node", file), args, { execArgv: [...process.execArgv, ...execArgv] });
  }

  /** What the child answers to `count`: milliseconds. */
  measure(count: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const died = (code: number | null): void => reject(new Error(`a cell's process ended with code ${code}`));
      this.#process.once("exit", died);
      this.#process.once("message", (ms) => {
        this.#process.off("exit", died);
        resolve(ms as number);
      });
      this.#process.send(count);
    });
  }

  stop(): void {
    this.#process.disconnect();
  }
}

/** In the child: answers each count with the milliseconds that `work` takes for it. */
export function answer(work: (count: number) => Promise<void> | void): void {
  process.on("message", async (count: number) => {
    const start = performance.now();
    await work(count);
    process.send!(performance.now() - start);
  });
}
