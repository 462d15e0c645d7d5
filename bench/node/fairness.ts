// One hog and a thousand light requests: `node fairness.ts promises|shared|pooled slices|flood`. Prints how long the light
// ones have waited, in turns of the hog and in milliseconds.

import { Proactor, kv } from "wasm-proactor";
import { importModules } from "../node.ts";
import { payload, payloads } from "../payload.ts";
import { quantile } from "../statistics.ts";

const LIGHT = 1000;
/** Light requests at a time: each is followed by the next. */
const AT_ONCE = 10;
/** Reads that the flood has in flight. */
const IN_FLIGHT = 1000;

/** A read takes one event of the platform, as short as there is. */
const get = (): Promise<ArrayBuffer> => new Promise((resolve) => setImmediate(resolve, payload(64)));

/** Somebody who serves requests, and does pieces of a hog's work meanwhile. */
interface Server {
  progress(): number;
  fetch(path: string): Promise<Response>;
}

function guest(module: WebAssembly.Module, isolation: "shared" | "pooled"): Server {
  const progress: WebAssembly.Global[] = [];
  const app = new Proactor(module, {
    isolation,
    resources: { STORE: kv({ ...payloads, get }) },
    // By default the host lets six of a request's reads run at once, which alone would tame the flood.
    limits: { connections: IN_FLIGHT },
    instantiate(module, imports) {
      const instance = new WebAssembly.Instance(module, imports);
      progress.push(instance.exports["progress"] as WebAssembly.Global);
      return instance;
    },
  });
  return {
    progress: () => progress.reduce((sum, { value }) => sum + (value >>> 0), 0),
    fetch: (path) => app.fetch(new Request(`http://bench${path}`)),
  };
}

function plain(): Server {
  const hog = { stopped: false };
  let progress = 0;
  let state = 1;

  /** Its twin is in ../guest/fairness.ts. */
  function work(): void {
    for (let i = 0; i < 5000; i++) state = (Math.imul(state, 1664525) + 1013904223) | 0;
    progress++;
  }

  async function slices(): Promise<Response> {
    do {
      work();
      // An await alone would let nobody else in.
      await new Promise((resolve) => setImmediate(resolve));
    } while (!hog.stopped);
    return new Response(`stopped ${state}`);
  }

  async function flood(): Promise<Response> {
    const one = async (): Promise<void> => {
      do {
        await get();
        progress++;
      } while (!hog.stopped);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, one));
    return new Response("stopped");
  }

  const handlers: Record<string, () => Promise<Response>> = {
    "/light": async () => new Response(await get()),
    "/slices": slices,
    "/flood": flood,
    "/stop": async () => {
      hog.stopped = true;
      return new Response();
    },
  };
  return { progress: () => progress, fetch: (path) => handlers[path.replace(/\?.*/, "")]!() };
}

async function measure(server: Server, hog: string): Promise<Record<string, number>> {
  let isOver = false;
  const hogged = server.fetch(`/${hog}?size=${IN_FLIGHT}`).then((response) => {
    isOver = true;
    return response.text();
  });
  const turns: number[] = [];
  const ms: number[] = [];
  const client = async (): Promise<void> => {
    while (turns.length + AT_ONCE <= LIGHT) {
      const [before, since] = [server.progress(), performance.now()];
      const response = await server.fetch("/light");
      turns.push(server.progress() - before);
      ms.push(performance.now() - since);
      if (isOver || (await response.arrayBuffer()).byteLength !== 64) throw new Error(`answered ${response.status}`);
      // Whoever asks again comes with an event of its own.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  await server.fetch("/stop");
  if (!(await hogged).startsWith("stopped")) throw new Error("the hog has not ended well");
  for (const waits of [turns, ms]) waits.sort((a, b) => a - b);
  return {
    turns50: quantile(turns, 0.5),
    turns99: quantile(turns, 0.99),
    turnsMax: turns.at(-1)!,
    ms50: quantile(ms, 0.5),
    ms99: quantile(ms, 0.99),
    msMax: ms.at(-1)!,
  };
}

const [, , who, hog] = process.argv;
importModules();
const { default: module } = (await import("../../build/bench/fairness.wasm")) as { default: WebAssembly.Module };
const server = who === "promises" ? plain() : guest(module, who as "shared" | "pooled");
console.log(JSON.stringify(await measure(server, hog!)));
process.exit();
