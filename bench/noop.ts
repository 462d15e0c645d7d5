// Noop: what an operation costs that does nothing, against an awaited promise that does nothing.

import { Child } from "./child.ts";
import type { Cell, Metric, Variant } from "./compare.ts";
import { Workerd } from "./workerd.ts";

const BATCHES = [1, 16, 256];
const METRIC: Metric = { unit: "ns/operation", better: "less" };

export function noopCells(count: number): { name: string; open(): Promise<Cell> }[] {
  return [
    ...BATCHES.map((batch) => ({ name: `noop node batch ${batch}`, open: () => openNode(batch, count) })),
    ...BATCHES.map((batch) => ({ name: `noop workerd batch ${batch}`, open: () => openWorkerd(batch, count) })),
  ];
}

async function openNode(batch: number, count: number): Promise<Cell> {
  const children = ["promises", "guest"].map((kind) => ({ kind, child: new Child("noop.ts", [kind, String(batch)]) }));
  const variants = children.map(({ kind, child }) => ({
    name: kind,
    measure: async () => ({ time: ((await child.measure(count)) * 1e6) / count }),
  }));
  return {
    name: `noop node batch ${batch}`,
    metrics: { time: METRIC },
    variants,
    stop: async () => children.forEach(({ child }) => child.stop()),
  };
}

async function openWorkerd(batch: number, count: number): Promise<Cell> {
  const promises = await Workerd.start("bench/workerd/promises.ts");
  const guest = await Workerd.start("bench/workerd/noop.ts");
  return {
    name: `noop workerd batch ${batch}`,
    metrics: { time: METRIC },
    variants: [fromOutside("promises", promises, batch, count), fromOutside("guest", guest, batch, count)],
    stop: async () => void (await Promise.all([promises.stop(), guest.stop()])),
  };
}

/** Clocks stand still inside workerd: the time of a request from outside, less that of one for no operation. */
function fromOutside(name: string, { url }: Workerd, batch: number, count: number): Variant {
  const query = (n: number): string => `${url}/?count=${n}&batch=${batch}`;
  return {
    name,
    async measure() {
      const empty = await timed(query(0), "0");
      return { time: (((await timed(query(count), String(count))) - empty) * 1e6) / count };
    },
  };
}

/** Milliseconds until the whole answer is here. */
export async function timed(url: string, expected: string): Promise<number> {
  const start = performance.now();
  const response = await fetch(url);
  const text = await response.text();
  const ms = performance.now() - start;
  if (text !== expected) throw new Error(`${url} answers ${response.status} ${text.slice(0, 200)}`);
  return ms;
}
