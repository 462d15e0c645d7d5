// Fresh: how long a new instance takes, `_initialize` included: what a request costs more in isolation "request", and
// what the first request of an isolate waits for.

import { Child } from "./child.ts";
import type { Cell, Metric } from "./compare.ts";
import { Workerd, timed } from "./workerd.ts";

const METRIC: Metric = { unit: "µs/instance", better: "less" };

export function freshCells(count: number): { name: string; open(): Promise<Cell> }[] {
  return [
    { name: "fresh node", open: () => openNode(count) },
    { name: "fresh workerd", open: () => openWorkerd(count) },
  ];
}

async function openNode(count: number): Promise<Cell> {
  const child = new Child("fresh.ts", []);
  const variant = {
    name: "new Proactor",
    measure: async () => ({ time: ((await child.measure(count)) * 1000) / count }),
  };
  return { metrics: { time: METRIC }, variants: [variant], stop: async () => child.stop() };
}

async function openWorkerd(count: number): Promise<Cell> {
  const worker = await Workerd.start("bench/workerd/fresh.ts");
  const measure = async (): Promise<{ time: number }> => {
    const empty = await timed(`${worker.url}/?count=0`, "0");
    return { time: (((await timed(`${worker.url}/?count=${count}`, String(count))) - empty) * 1000) / count };
  };
  return {
    metrics: { time: METRIC },
    variants: [{ name: "new Proactor", measure }],
    stop: () => worker.stop(),
  };
}
