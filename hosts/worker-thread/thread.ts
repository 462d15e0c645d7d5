// Thread: a proactor in a thread of its own, as the thread that has the connections sees it.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Transferable } from "node:worker_threads";
import type { Shutdown } from "wasm-proactor";
import type { Flags } from "../flags.ts";
import { messageOfRequest, responseOf, transferOf } from "./messages.ts";
import type { FromThread, ToThread } from "./messages.ts";

export class Thread {
  readonly #worker: Worker;
  /** Requests that have no answer yet. */
  readonly #waiting = new Map<number, (response: Response) => void>();
  #requests = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (message: FromThread) => {
      if (message.kind !== "response") return;
      const answer = this.#waiting.get(message.id);
      // Nobody waits if the client has gone, and what nobody reads holds the upstream's connection.
      if (answer) answer(responseOf(message));
      else void message.body?.cancel();
    });
  }

  /** Rejects if the flags name something that cannot be served. */
  static async start(flags: Flags): Promise<Thread> {
    const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData: flags });
    const [message] = (await once(worker, "message")) as [FromThread];
    if (message.kind === "refused") throw new Error(message.why);
    return new Thread(worker);
  }

  /** Answers a request by the thread's proactor. */
  fetch(request: Request): Promise<Response> {
    const id = this.#requests++;
    return new Promise((resolve, reject) => {
      const { signal } = request;
      const settle = (): void => {
        this.#waiting.delete(id);
        signal.removeEventListener("abort", leave);
      };
      const leave = (): void => {
        settle();
        this.#tell({ kind: "gone", id });
        reject(signal.reason);
      };
      this.#waiting.set(id, (response) => {
        settle();
        resolve(response);
      });
      signal.addEventListener("abort", leave);
      const message = messageOfRequest(id, request);
      this.#tell(message, transferOf(message));
    });
  }

  /** Resolves when no request is left. */
  async shutdown(mode: Shutdown): Promise<void> {
    this.#tell({ kind: "end", mode });
    for (let ended = false; !ended;) {
      const [message] = (await once(this.#worker, "message")) as [FromThread];
      ended = message.kind === "ended";
    }
  }

  #tell(message: ToThread, transfer: readonly unknown[] = []): void {
    this.#worker.postMessage(message, transfer as Transferable[]);
  }
}
