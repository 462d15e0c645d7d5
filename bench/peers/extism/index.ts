// Extism's JavaScript SDK: a plug-in in a worker thread, which blocks while an async host function runs in this one.

import { createPlugin } from "@extism/extism";
import type { Plugin } from "@extism/extism";
import module from "../../../build/bench/peers/extism.wasm";
import type { Peer } from "../../peer.ts";
import { nothing, sleep } from "../operations.ts";
import { counted, inBatches, inFlight } from "../straight-line.ts";

/** A plug-in does one call at a time, so what is to be in flight at once needs several, each with a thread. */
const plugins: Promise<Plugin>[] = [];

function pluginOf(lane: number): Promise<Plugin> {
  const functions = { plugin: { nothing, sleep } };
  return (plugins[lane] ??= createPlugin(module, { runInWorker: true, functions }));
}

/** A plug-in that hangs is a failure, and not the end of the run. */
const CALL_MS_MAX = 20_000;

async function call(name: "chain" | "latency", count: number, lane: number): Promise<number> {
  const plugin = await pluginOf(lane);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`a call has not returned within ${CALL_MS_MAX} ms`)), CALL_MS_MAX);
  });
  const output = await Promise.race([plugin.call(name, String(count)), late]);
  clearTimeout(timer);
  return Number(output?.text());
}

/** Always one operation in a call: the SDK hangs sooner or later where host functions follow each other at once. */
const one = (_count: number, lane: number): Promise<number> => call("chain", 1, lane);

export const peer: Peer = {
  noop: (count, batch) => (batch === 1 ? inFlight(count, 1, one) : inBatches(count, batch, one)),
  pummel: (count, size) => inFlight(count, size, one),
  latency: (count) => counted(count, [call("latency", count, 0)]),
};
