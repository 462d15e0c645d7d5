// Thread: a proactor in a thread of its own, as the thread that has the connections sees it.
//
// No call can interrupt a guest that never returns, but its thread can be ended. So the thread is asked for a sign of life
// now and then; without one its requests fail, and another thread takes over.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Transferable } from "node:worker_threads";
import type { Shutdown } from "wasm-proactor";
import type { Flags } from "../flags.ts";
import { messageOfRequest, responseOf, transferOf } from "./messages.ts";
import type { FromThread, ToThread } from "./messages.ts";

/** Milliseconds for which a thread may be busy before it is taken for stuck. */
const STALL_MS = 10_000;

export class Thread {
  readonly #flags: Flags;
  readonly #stallMs: number;
  #worker!: Promise<Worker>;
  /** Requests that have no answer yet. */
  readonly #waiting = new Map<number, (response: Response) => void>();
  #requests = 0;
  #isOver = false;

  /** Rejects if the flags name something that cannot be served. */
  static async start(flags: Flags, { stallMs = STALL_MS } = {}): Promise<Thread> {
    const thread = new Thread(flags, stallMs);
    await thread.#worker;
    return thread;
  }

  private constructor(flags: Flags, stallMs: number) {
    this.#flags = flags;
    this.#stallMs = stallMs;
    this.#begin();
  }

  /** Answers a request by the thread's proactor. */
  async fetch(request: Request): Promise<Response> {
    const worker = await this.#worker;
    const id = this.#requests++;
    const { signal } = request;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting.delete(id);
        signal.removeEventListener("abort", leave);
      };
      const leave = (): void => {
        settle();
        tell(worker, { kind: "gone", id });
        reject(signal.reason);
      };
      this.#waiting.set(id, (response) => {
        settle();
        resolve(response);
      });
      signal.addEventListener("abort", leave);
      const message = messageOfRequest(id, request);
      tell(worker, message, transferOf(message));
    });
  }

  /** Resolves when no request is left. The thread goes with the process: bodies of answers may still come from it. */
  async shutdown(mode: Shutdown): Promise<void> {
    this.#isOver = true;
    const worker = await this.#worker;
    tell(worker, { kind: "end", mode });
    await Promise.race([heard(worker, "ended"), once(worker, "exit")]);
    worker.unref();
  }

  #begin(): void {
    this.#worker = this.#started();
    // Who waits for it hears of it.
    this.#worker.catch(() => {});
  }

  async #started(): Promise<Worker> {
    const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData: this.#flags });
    const [message] = (await once(worker, "message")) as [FromThread];
    if (message.kind === "refused") throw new Error(message.why);
    worker.on("message", (said: FromThread) => said.kind === "response" && this.#answered(said));
    const watch = setInterval(() => void this.#watch(worker), this.#stallMs).unref();
    worker.once("exit", () => {
      clearInterval(watch);
      if (!this.#isOver) this.#begin();
      this.#failAll();
    });
    return worker;
  }

  #answered(message: Extract<FromThread, { kind: "response" }>): void {
    const answer = this.#waiting.get(message.id);
    // Nobody waits if the client has gone, and what nobody reads holds the upstream's connection.
    if (answer) answer(responseOf(message));
    else void message.body?.cancel();
  }

  /** Ends a thread that gives no sign of life. */
  async #watch(worker: Worker): Promise<void> {
    tell(worker, { kind: "call" });
    const late = new Promise<boolean>((resolve) => setTimeout(resolve, this.#stallMs, true).unref());
    const isStuck = await Promise.race([late, heard(worker, "here"), once(worker, "exit")]);
    if (isStuck === true) await worker.terminate();
  }

  #failAll(): void {
    const detail = "The instance that served this request was replaced.";
    for (const answer of this.#waiting.values()) answer(Response.json({ error: "condemned", detail }, { status: 500 }));
  }
}

function tell(worker: Worker, message: ToThread, transfer: readonly unknown[] = []): void {
  worker.postMessage(message, transfer as Transferable[]);
}

async function heard(worker: Worker, kind: FromThread["kind"]): Promise<void> {
  for (;;) {
    const [message] = (await once(worker, "message")) as [FromThread];
    if (message.kind === kind) return;
  }
}
