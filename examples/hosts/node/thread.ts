// Thread: the guest in a thread of its own, so that a handler that computes for long holds up nobody else. The main thread
// sends paths and prints the answers.

import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { Proactor, kv } from "wasm-proactor";
import { filledStore, guest } from "./files.ts";

if (isMainThread) {
  const paths = ["/ada", "/grace", "/nobody"];
  const thread = new Worker(new URL(import.meta.url));
  let left = paths.length;
  thread.on("message", (line: string) => {
    console.log(line);
    if (--left === 0) void thread.terminate();
  });
  for (const path of paths) thread.postMessage(path);
} else {
  const app = await Proactor.instantiate(guest, { resources: { STORE: kv(await filledStore()) } });
  parentPort!.on("message", async (path: string) => {
    const response = await app.fetch(new Request(`http://localhost${path}`));
    parentPort!.postMessage(`${path} ${response.status} ${await response.text()}`);
  });
}
