// Load: so many connections, each of which waits for its answer before it asks again, from a process of its own.

import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { path } from "../scripts/paths.ts";

/** What is asked for again and again. */
export interface Asked {
  path: string;
  /** Bytes of a body to be sent by POST; a GET if there is none. */
  bodyBytes?: number | undefined;
  connections: number;
  seconds: number;
}

/** What came of it. */
export interface Answered {
  answers: number;
  /** Of their bodies, in bytes: one, if all are alike. */
  lengths: number[];
  /** From the first request to the last answer. */
  seconds: number;
  /** Milliseconds from a request to the end of its answer. */
  p50: number;
  p99: number;
  p999: number;
}

/** As it is sent to the load's process. */
export type Question = [url: string, asked: Asked];

export class Load {
  readonly #process: ChildProcess = fork(path("bench/load-client.ts"));

  /** Throws if any answer is not a success. */
  ask(url: string, asked: Asked): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const died = (code: number | null): void => reject(new Error(`the load's process ended with code ${code}`));
      this.#process.once("exit", died);
      this.#process.once("message", (result: Answered | { error: string }) => {
        this.#process.off("exit", died);
        if ("error" in result) reject(new Error(`${asked.path}: ${result.error}`));
        else resolve(result);
      });
      this.#process.send([url, asked] satisfies Question);
    });
  }

  stop(): void {
    this.#process.disconnect();
  }
}
