// Reads: the same reads in several ways, on the same simulated device, in virtual time. The numbers are exact, the same on
// every machine, and have a picture over time.

import { readFileSync } from "node:fs";
import { Proactor, kv } from "wasm-proactor";
import { Random, Simulation, memoryKv } from "wasm-proactor/testing";
import type { VirtualClock } from "wasm-proactor/testing";
import { path } from "../scripts/paths.ts";
import type { Cell, CellSource, Metric, Span, Variant } from "./compare.ts";

/** Milliseconds until all was read. */
const TIME: Metric = { unit: "ms, simulated", better: "less" };
const IN_VAIN: Metric = { unit: "looks in vain", better: "less" };
/** Of each read, from when it was done until somebody took it. */
const WAITED: Metric = { unit: "ms unnoticed", better: "less" };

interface Way {
  name: string;
  route: string;
  /** What the route takes: milliseconds, workers, places at the gate. */
  size: number;
  /** How many times as fast as one by one it must be. */
  speedUp?: number;
}

const READ_1000: Way[] = [
  { name: "ten workers", route: "workers", size: 10 },
  { name: "polling, every ms", route: "polling", size: 1 },
  { name: "polling, every 10 ms", route: "polling", size: 10 },
  { name: "completion", route: "completion", size: 0 },
];

const READ_100: Way[] = [
  { name: "one by one", route: "one-by-one", size: 1, speedUp: 1 },
  ...[5, 10, 25, 100].map((size) => ({ name: `${size} at once`, route: "limit", size, speedUp: size })),
];

export function readsCells(): CellSource[] {
  return [
    { name: "read-1000/simulated", open: () => thousand() },
    { name: "sequential-vs-concurrent-100/simulated", open: () => hundred() },
  ];
}

/** A device that does a hundred reads at a time and takes from 5 to 45 ms for each. */
function thousand(): Cell {
  const random = new Random(1);
  const durations = Array.from({ length: 1000 }, () => random.between(5, 45));
  const variants = READ_1000.map((way) => variantOf(way, durations, 100));
  return { metrics: { time: TIME, inVain: IN_VAIN, waited: WAITED }, roundsMax: 1, variants };
}

/** A device without a limit, so that the gate's alone is seen: with so many at once it must be so many times as fast. */
function hundred(): Cell {
  const durations = Array.from({ length: 100 }, () => 20);
  const variants = READ_100.map((way) => variantOf(way, durations, Infinity));
  return { metrics: { time: TIME }, roundsMax: 1, variants };
}

function variantOf({ name, route, size, speedUp }: Way, durations: number[], parallel: number): Variant {
  let spans: Span[] = [];
  return {
    name,
    warmUp: async () => {},
    async measure(): Promise<Record<string, number>> {
      const world = new Simulation();
      const device = new Device(world.clock, durations, parallel);
      const resources = { DEVICE: kv({ ...memoryKv(), get: (key) => device.read(Number(key)) }) };
      const app = new Proactor(guest(), { resources, limits, clock: world.clock });
      const start = world.clock.now();
      const count = durations.length;
      const response = await world.run(app.fetch(new Request(`http://bench/${route}?count=${count}&size=${size}`)));
      const time = world.clock.now() - start;
      const text = await response.text();
      const [taken, inVain, waited] = text.split(" ").map(Number);
      if (taken !== count || device.spans.length !== count) throw new Error(`${name}: ${response.status} ${text}`);
      const sum = durations.reduce((ms, duration) => ms + duration, 0);
      if (speedUp && sum / time !== speedUp) throw new Error(`${sum / time} times as fast, not ${speedUp}`);
      spans = device.spans;
      return { time, inVain: inVain!, waited: waited! / count };
    },
    timeline: () => spans,
  };
}

/** It is the device, and not the host, that lets so many in at once. */
const limits = { connections: 1000 };

let compiled: WebAssembly.Module | undefined;

const guest = (): WebAssembly.Module =>
  (compiled ??= new WebAssembly.Module(readFileSync(path("build/bench/reads.wasm"))));

/** Reads take their time, by what is read and not by who reads it. Those above `parallel` wait for a lane. */
class Device {
  readonly spans: Span[] = [];
  readonly #clock: VirtualClock;
  readonly #durations: number[];
  readonly #parallel: number;
  readonly #idle: number[] = [];
  readonly #waiting: ((lane: number) => void)[] = [];
  readonly #begin: number;
  #lanes = 0;

  constructor(clock: VirtualClock, durations: number[], parallel: number) {
    this.#clock = clock;
    this.#durations = durations;
    this.#parallel = parallel;
    this.#begin = clock.now();
  }

  async read(index: number): Promise<ArrayBuffer> {
    const lane = await this.#lane();
    const start = this.#clock.now() - this.#begin;
    await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, this.#durations[index]!));
    this.spans.push({ lane, start, end: this.#clock.now() - this.#begin, label: String(index) });
    const next = this.#waiting.shift();
    if (next) next(lane);
    else this.#idle.push(lane);
    return new ArrayBuffer(0);
  }

  #lane(): number | Promise<number> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#lanes < this.#parallel) return this.#lanes++;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
