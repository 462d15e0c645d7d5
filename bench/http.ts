// HTTP: requests per second, and the CPU time of each, against a plain JavaScript Worker that answers the same.
//
// Twice. In workerd alone, with a KV that answers at once, nothing hides what the guest adds. Through Miniflare, with
// its proxy in front and its KV on disk, is what `npm start` gives; a deployed Worker lies beyond that, as its KV and its
// network take longer still.

import type { KVNamespace } from "@cloudflare/workers-types";
import { startLocal } from "../scripts/miniflare.ts";
import type { Cell, CellSource, Metric, Variant } from "./compare.ts";
import { load } from "./load.ts";
import { Workerd } from "./workerd.ts";

const PATHS = ["/hello", "/kv", "/kv-10"];
const ISOLATIONS = ["pooled", "shared", "request"] as const;

const REQUESTS: Metric = { unit: "requests/s", better: "more" };
const CPU: Metric = { unit: "µs CPU/request", better: "less" };

/** A Worker that is being served. */
interface Served {
  url: string;
  cpuMs?(): number | undefined;
  stop(): Promise<void>;
}

interface Place {
  name: string;
  metrics: Record<string, Metric>;
  start(entry: string, isolation?: (typeof ISOLATIONS)[number]): Promise<Served>;
}

const alone: Place = {
  name: "workerd",
  metrics: { requests: REQUESTS, cpu: CPU },
  start: (entry, isolation) => Workerd.start(entry, isolation && { ISOLATION: isolation }),
};

const miniflare: Place = {
  name: "miniflare",
  metrics: { requests: REQUESTS },
  async start(entry, isolation) {
    const { url, mf, dispose } = await startLocal({ entry, ...(isolation && { isolation }) });
    const store = (await mf.getKVNamespace("CACHE")) as unknown as KVNamespace;
    await Promise.all(Array.from({ length: 10 }, (_, index) => store.put(`key-${index}`, "x".repeat(100))));
    return { url, stop: dispose };
  },
};

/** Cells by name; what they measure is started by `open`. */
export function httpCells(seconds: number): CellSource[] {
  return [alone, miniflare].flatMap((place) =>
    PATHS.map((path) => {
      const name = `http ${place.name} ${path}`;
      return { name, open: () => open(place, path, seconds) };
    }),
  );
}

async function open(place: Place, path: string, seconds: number): Promise<Cell> {
  const plain = { variant: "plain", worker: await place.start("bench/workerd/plain.ts") };
  const workers = [plain];
  for (const isolation of ISOLATIONS) {
    workers.push({ variant: isolation, worker: await place.start("bench/workerd/guest.ts", isolation) });
  }
  await assertEqualAnswers(workers.map(({ worker }) => worker.url + path));
  return {
    metrics: place.metrics,
    variants: workers.map(({ variant, worker }) => measured(variant, worker, path, seconds)),
    stop: async () => void (await Promise.all(workers.map(({ worker }) => worker.stop()))),
  };
}

function measured(name: string, worker: Served, path: string, seconds: number): Variant {
  return {
    name,
    async measure(): Promise<Record<string, number>> {
      const before = worker.cpuMs?.();
      const result = await load(worker.url + path, seconds);
      const after = worker.cpuMs?.();
      const requests = result.answers / result.seconds;
      if (before === undefined || after === undefined) return { requests };
      return { requests, cpu: ((after - before) * 1000) / result.answers };
    },
  };
}

/** Fast is easy for who answers something else. */
async function assertEqualAnswers(urls: string[]): Promise<void> {
  const answers = await Promise.all(
    urls.map(async (url) => {
      const response = await fetch(url);
      return JSON.stringify([response.status, [...response.headers], await response.text()]);
    }),
  );
  if (new Set(answers).size > 1) throw new Error(`the Workers answer differently:\n${answers.join("\n")}`);
}
