// Start-up: from nothing to a first response. In Node part by part; of workerd from the start of its process, beside a
// plain Worker's: what is more, the guest and its host have taken.

import { rmSync } from "node:fs";
import type { Cell, CellSource, Metric, Variant } from "./compare.ts";
import { runProgram } from "./program.ts";
import { spreadOf } from "./statistics.ts";
import { Workerd, configure, timed } from "./workerd.ts";

const ms = (what: string): Metric => ({ unit: `ms, ${what}`, better: "less" });

export function startUpCells(quick: boolean): CellSource[] {
  return [
    { name: "start-up/node", open: openNode },
    { name: "start-up/workerd", open: () => openWorkerd(quick ? 3 : 9) },
  ];
}

function openNode(): Cell {
  const variants = ["plain", "wasm-proactor", "floor"].map((name) => ({
    name,
    warmUp: async () => {},
    measure: () => runProgram("start-up.ts", name),
  }));
  const metrics = {
    total: ms("in all"),
    load: ms("loading the host"),
    compile: ms("compiling the guest"),
    instance: ms("an instance"),
    first: ms("the first response"),
  };
  return { metrics, variants };
}

/** Each sample is the median of so many starts: a process's start varies by more than what is to be seen. */
function openWorkerd(starts: number): Cell {
  const variants = [
    variantOf("plain", "bench/peers/plain/http.ts", starts),
    variantOf("wasm-proactor", "bench/peers/wasm-proactor/http.ts", starts, { ISOLATION: "pooled" }),
    // What the host's code alone takes to be read.
    variantOf("floor-host", "bench/peers/floor-host/http.ts", starts),
  ];
  const metrics = {
    total: ms("from the process's start to the first response"),
    cpu: ms("processor time until then"),
    first: ms("of which the first response"),
  };
  return { metrics, variants, roundsMax: 9 };
}

function variantOf(name: string, entry: string, starts: number, texts: Record<string, string> = {}): Variant {
  let folder: string | undefined;
  const once = async (): Promise<Record<string, number>> => {
    const begin = performance.now();
    const worker = await Workerd.spawn(folder!);
    try {
      const listening = performance.now();
      await timed(`${worker.url}/hello`, "hello");
      const end = performance.now();
      const cpu = worker.cpuMs();
      return { total: end - begin, first: end - listening, ...(cpu !== undefined && { cpu }) };
    } finally {
      await worker.stop();
    }
  };
  return {
    name,
    start: async () => void (folder = await configure(entry, texts)),
    warmUp: async () => void (await once()),
    async measure() {
      const samples: Record<string, number>[] = [];
      while (samples.length < starts) samples.push(await once());
      return Object.fromEntries(
        Object.keys(samples[0]!).map((metric) => [metric, spreadOf(samples.map((sample) => sample[metric]!)).median]),
      );
    },
    stop: async () => void (folder && rmSync(folder, { recursive: true })),
  };
}
