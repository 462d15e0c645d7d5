// Compose: what composites and fibers cost, against what one would write with promises.

import { Child } from "./child.ts";
import type { Cell, Metric } from "./compare.ts";
import { Workerd, timed } from "./workerd.ts";

const METRIC: Metric = { unit: "ns/member", better: "less" };
const GROUPS: [kind: string, batches: number[]][] = [
  ["gather", [2, 8, 64, 1000]],
  ["race", [2, 8, 64, 1000]],
  ["limit", [64, 1000]],
  ["retry", [1]],
];
/** A race starts all and waits for all; that of promises forgets the losers. */
const WHO = ["promises", "guest"] as const;
const FIBERS = ["promises", "jspi", "fiber", "asyncify"] as const;

export function composeCells(count: number): { name: string; open(): Promise<Cell> }[] {
  const groups = GROUPS.flatMap(([kind, batches]) => batches.map((batch) => [kind, batch] as const));
  return [
    ...groups.map(([kind, batch]) => ({
      name: `compose node ${kind} ${batch}`,
      open: () => openNode(kind, batch, count),
    })),
    ...groups.map(([kind, batch]) => ({
      name: `compose workerd ${kind} ${batch}`,
      open: () => openWorkerd(kind, batch, count),
    })),
    { name: "fiber node await", open: () => openFibersInNode(count) },
    { name: "fiber workerd await", open: () => openFibersInWorkerd(count) },
  ];
}

async function openNode(kind: string, batch: number, count: number): Promise<Cell> {
  const children = WHO.map((who) => ({ who, child: new Child("compose.ts", [who, kind, String(batch)]) }));
  return {
    metrics: { time: METRIC },
    variants: children.map(({ who, child }) => ({
      name: who,
      measure: async () => ({ time: ((await child.measure(count)) * 1e6) / count }),
    })),
    stop: async () => children.forEach(({ child }) => child.stop()),
  };
}

async function openWorkerd(kind: string, batch: number, count: number): Promise<Cell> {
  const servers = {
    promises: await Workerd.start("bench/workerd/composites.ts"),
    guest: await Workerd.start("bench/workerd/compose.ts"),
  };
  return {
    metrics: { time: METRIC },
    // Clocks stand still inside workerd: the time from outside, less that for one round.
    variants: WHO.map((who) => ({
      name: who,
      measure: async () => {
        const url = (n: number) => `${servers[who].url}/${kind}?count=${n}&batch=${batch}`;
        const least = await timed(url(batch), String(batch));
        return { time: (((await timed(url(count), String(count))) - least) * 1e6) / count };
      },
    })),
    stop: async () => void (await Promise.all(Object.values(servers).map((server) => server.stop()))),
  };
}

async function openFibersInNode(count: number): Promise<Cell> {
  const children = FIBERS.map((who) => ({ who, child: new Child("fiber.ts", [who], ["--experimental-wasm-jspi"]) }));
  return {
    metrics: { time: { ...METRIC, unit: "ns/await" } },
    variants: children.map(({ who, child }) => ({
      name: who,
      measure: async () => ({ time: ((await child.measure(count)) * 1e6) / count }),
    })),
    stop: async () => children.forEach(({ child }) => child.stop()),
  };
}

async function openFibersInWorkerd(count: number): Promise<Cell> {
  const server = await Workerd.start("bench/workerd/fiber.ts");
  return {
    metrics: { time: { ...METRIC, unit: "ns/await" } },
    variants: FIBERS.map((who) => ({
      name: who,
      measure: async () => {
        const url = (n: number) => `${server.url}/${who}?count=${n}`;
        const least = await timed(url(1), "1");
        return { time: (((await timed(url(count), String(count))) - least) * 1e6) / count };
      },
    })),
    stop: () => server.stop(),
  };
}
