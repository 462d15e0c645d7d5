// HTTP: requests per second, the processor time of each and how long it takes, against a plain JavaScript Worker that
// answers the same.
//
// Twice. In workerd alone, with a KV and an upstream that answer at once, nothing hides what the guest adds. Through
// Miniflare, with its proxy in front and its KV on disk, is what `npm start` gives; a deployed Worker lies beyond that,
// as its KV and its network take longer still.

import { createHash } from "node:crypto";
import type { KVNamespace } from "@cloudflare/workers-types";
import { startLocal } from "../scripts/miniflare.ts";
import type { Cell, CellSource, Metric, Variant } from "./compare.ts";
import { Load } from "./load.ts";
import { Workerd } from "./workerd.ts";

/** By its path, how many bytes are sent to a route. */
const ROUTES: Record<string, number | undefined> = {
  hello: undefined,
  kv: undefined,
  "kv-10": undefined,
  "fetch-5": undefined,
  echo: 1_048_576,
  forward: undefined,
};

/** How many connections ask at once. At one of them latency is what it is; the others have a queue before workerd. */
const CONNECTIONS = [1, 32, 256];
// Most is to be learnt at 32. Two processes of the same Worker differ by more than two rounds of one, hence new ones now and
// then; a whole collection comes every two seconds or so and takes a tenth of one, hence rounds that last as long.
const AT_32 = { rounds: 15, roundsPerStart: 3, seconds: 2 };
const ELSEWHERE = { rounds: 4, roundsPerStart: 2, seconds: 1 };

/** The proxy and the disk hide the most of what a guest adds; one look at each of these is enough. */
const IN_MINIFLARE = ["hello/32", "kv/32", "kv-10/32"];
const QUICK = { cells: ["workerd/hello/32", "workerd/kv/32", "workerd/echo/32"], seconds: 0.5 };

const ISOLATIONS = ["shared", "pooled", "request"] as const;

/** What is asked of the platform whatever the host; with an instance for each request, or without. */
const FLOORS: Record<string, { routes: string[]; isolation?: "request" }> = {
  floor: { routes: ["kv", "kv-10", "fetch-5", "echo", "forward"] },
  "floor-request": { routes: ["hello"], isolation: "request" },
};

const METRICS: Record<string, Metric> = {
  requests: { unit: "requests/s", better: "more" },
  cpu: { unit: "µs CPU/request", better: "less" },
  p50: { unit: "ms, p50", better: "less" },
  p99: { unit: "ms, p99", better: "less" },
  p999: { unit: "ms, p999", better: "less" },
};

/** A Worker that is being served. */
interface Served {
  url: string;
  cpuMs?(): number | undefined;
  stop(): Promise<void>;
}

type Start = (entry: string, isolation?: (typeof ISOLATIONS)[number]) => Promise<Served>;

const PLACES: Record<string, Start> = {
  workerd: (entry, isolation) => Workerd.start(entry, isolation && { ISOLATION: isolation }),

  async miniflare(entry, isolation) {
    const { url, mf, dispose } = await startLocal({ entry, ...(isolation && { isolation }) });
    const store = (await mf.getKVNamespace("CACHE")) as unknown as KVNamespace;
    await Promise.all(Array.from({ length: 10 }, (_, index) => store.put(`key-${index}`, "x".repeat(100))));
    return { url, stop: dispose };
  },
};

/** Cells named `http/place/route/connections`. */
export function httpCells(quick: boolean): CellSource[] {
  const names = Object.keys(ROUTES).flatMap((route) => CONNECTIONS.map((connections) => `${route}/${connections}`));
  const all = [...names.map((name) => `workerd/${name}`), ...IN_MINIFLARE.map((name) => `miniflare/${name}`)];
  return (quick ? QUICK.cells : all).map((name) => ({
    name: `http/${name}`,
    open: () => open(name, quick),
  }));
}

function open(name: string, quick: boolean): Cell {
  const [place, route, connectionsText] = name.split("/");
  const connections = Number(connectionsText);
  const plan = connections === 32 ? AT_32 : ELSEWHERE;
  const seconds = quick ? QUICK.seconds : plan.seconds;
  const start = PLACES[place!]!;
  const load = new Load();
  const asked = { path: `/${route}`, bodyBytes: ROUTES[route!], connections, seconds };
  const checkAnswer = equalAnswers();
  const variant = (name: string, start: () => Promise<Served>): Variant => {
    let worker: Served | undefined;
    let length = 0;
    const measure = async (): Promise<Record<string, number>> => {
      const before = worker!.cpuMs?.();
      const { answers, lengths, seconds, p50, p99, p999 } = await load.ask(worker!.url, asked);
      const after = worker!.cpuMs?.();
      if (lengths.some((bytes) => bytes !== length)) throw new Error(`bodies of ${lengths} bytes, not of ${length}`);
      const cpu = before !== undefined && after !== undefined && { cpu: ((after - before) * 1000) / answers };
      return { requests: answers / seconds, ...cpu, p50, p99, p999 };
    };
    return {
      name,
      start: async () => void (worker = await start()),
      async warmUp() {
        length = await checkAnswer(worker!.url + asked.path, asked.bodyBytes);
        await measure();
      },
      measure,
      stop: async () => worker?.stop(),
    };
  };
  return {
    metrics: METRICS,
    roundsMax: plan.rounds,
    roundsPerStart: plan.roundsPerStart,
    variants: [
      variant("plain", () => start("bench/peers/plain/http.ts")),
      ...ISOLATIONS.map((isolation) => variant(isolation, () => start("bench/peers/wasm-proactor/http.ts", isolation))),
      ...Object.entries(FLOORS).flatMap(([name, { routes, isolation }]) =>
        place === "workerd" && routes.includes(route!)
          ? [variant(name, () => start("bench/peers/floor/http.ts", isolation))]
          : [],
      ),
    ],
    stop: async () => load.stop(),
  };
}

/** Fast is easy for who answers something else: all answers must be as the first, to the byte. Resolves to their length. */
function equalAnswers(): (url: string, bodyBytes?: number) => Promise<number> {
  let first: string | undefined;
  return async (url, bodyBytes) => {
    const body = bodyBytes && new Uint8Array(bodyBytes).map((_, index) => index % 251);
    const response = await fetch(url, body ? { method: "POST", body } : {});
    const bytes = new Uint8Array(await response.arrayBuffer());
    const hash = createHash("sha256").update(bytes).digest("hex");
    const answer = JSON.stringify([response.status, [...response.headers], bytes.length, hash]);
    first ??= answer;
    if (answer !== first) throw new Error(`it answers ${answer}, the first ${first}`);
    return bytes.length;
  };
}
