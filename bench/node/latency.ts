// Sleeps so often, in the way of a peer: `node latency.ts jspi 500`.

import { path } from "../../scripts/paths.ts";
import { importModules } from "../node.ts";
import type { Peer } from "../peer.ts";
import { quantile } from "../statistics.ts";

const WARM_UP = 300;
const SLEEP_MS = 1;

let gaps: number[] = [];
let ended: number | undefined;

// Every way has its own to the one thing that all of them wait for: so that is where it is looked at.
const { setTimeout } = globalThis;
globalThis.setTimeout = ((callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
  if (ms !== SLEEP_MS) return setTimeout(callback, ms, ...args);
  if (ended !== undefined) gaps.push(performance.now() - ended);
  return setTimeout(() => {
    ended = performance.now();
    callback(...args);
  }, ms);
}) as typeof setTimeout;

/** Microseconds from the end of each sleep to the start of the next, in ascending order. */
async function measure({ latency }: Peer, times: number): Promise<number[]> {
  gaps = [];
  ended = undefined;
  await latency!(times, SLEEP_MS);
  if (gaps.length !== times - 1) throw new Error(`${gaps.length + 1} sleeps, not ${times}`);
  return gaps.map((ms) => ms * 1000).toSorted((a, b) => a - b);
}

const [, , name, count] = process.argv;
importModules();
const { peer } = (await import(path("bench/peers", name!, "index.ts"))) as { peer: Peer };
await measure(peer, WARM_UP);
const sorted = await measure(peer, Number(count));
console.log(JSON.stringify({ p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }));
process.exit();
