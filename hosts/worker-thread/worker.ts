// Worker: the thread that the proactor lives in. Whatever its guest computes, the thread that has the connections goes on.

import { parentPort, workerData } from "node:worker_threads";
import type { Transferable } from "node:worker_threads";
import type { Proactor } from "wasm-proactor";
import { fileKv } from "wasm-proactor/node";
import type { Flags } from "../flags.ts";
import { proactorOf } from "../proactor.ts";
import { messageOfResponse, requestOf, transferOf } from "./messages.ts";
import type { FromThread, RequestMessage, ToThread } from "./messages.ts";

const say = (message: FromThread, transfer: readonly unknown[] = []): void =>
  parentPort!.postMessage(message, transfer as Transferable[]);

/** Requests that have no answer yet. */
const waiting = new Map<number, AbortController>();

async function answer(app: Proactor, message: RequestMessage): Promise<void> {
  const client = new AbortController();
  waiting.set(message.id, client);
  const response = await app.fetch(requestOf(message, client.signal));
  waiting.delete(message.id);
  const answered = messageOfResponse(message.id, response);
  say(answered, transferOf(answered));
}

async function end(app: Proactor, mode: "graceful" | "now"): Promise<void> {
  await app.shutdown(mode);
  say({ kind: "ended" });
}

try {
  const app = await proactorOf(workerData as Flags, fileKv);
  parentPort!.on("message", (message: ToThread) => {
    if (message.kind === "request") void answer(app, message);
    else if (message.kind === "gone") waiting.get(message.id)?.abort();
    else if (message.kind === "call") say({ kind: "here" });
    else void end(app, message.mode);
  });
  say({ kind: "ready" });
} catch (error) {
  say({ kind: "refused", why: (error as Error).message });
}
