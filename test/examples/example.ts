// Example: the guest of one in a simulated world, with the grants that its host.ts makes and the values of its kv.json.

import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { afterEach, expect } from "vitest";
import { path, ROOT } from "../../scripts/paths.ts";
import { jspi } from "../../src/fiber.ts";
import { Proactor } from "../../src/index.ts";
import type { ErrorReport, Grants, KvStore, ProactorOptions } from "../../src/index.ts";
import { Simulation, memoryKv } from "../../src/testing/index.ts";
import type { SimulationOptions, Upstream } from "../../src/testing/index.ts";

export interface ExampleOptions extends SimulationOptions, Pick<ProactorOptions, "isolation" | "limits"> {
  /** What plays API, and LARGE. */
  upstream?: Upstream;
}

export interface Answer {
  status: number;
  text: string;
}

/** The names of all, in order. */
export const EXAMPLES = globSync("examples/*/host.ts", { cwd: ROOT })
  .map((file) => basename(dirname(file)))
  .toSorted();

const modules = new Map<string, Promise<WebAssembly.Module>>();
const started: Example[] = [];

/** The values that an example's store begins with. */
export function valuesOf(name: string): Record<string, string> {
  const file = path("examples", name, "kv.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, string>) : {};
}

/** The grants of all examples' hosts, in a simulated world. `store` has the values of the example's kv.json then. */
export function grantsOf(
  name: string,
  world: Simulation,
  upstream: Upstream,
  store: KvStore = memoryKv(world.clock),
): Grants {
  // This store is filled at once.
  for (const [key, value] of Object.entries(valuesOf(name)))
    void store.put(key, new TextEncoder().encode(value).buffer, {});
  const api = world.origin("https://api.example.com", upstream);
  return { STORE: world.kv({ store }), API: api, LARGE: api };
}

export function moduleOf(name: string): Promise<WebAssembly.Module> {
  let module = modules.get(name);
  if (!module) {
    module = WebAssembly.compile(readFileSync(path("examples", name, "guest.wasm")));
    modules.set(name, module);
  }
  return module;
}

export class Example {
  readonly reports: ErrorReport[] = [];

  private constructor(
    readonly world: Simulation,
    readonly store: KvStore,
    readonly app: Proactor,
  ) {}

  static async start(name: string, options: ExampleOptions = {}): Promise<Example> {
    const { upstream = () => new Response("from upstream"), isolation, limits, ...rest } = options;
    const world = new Simulation(rest);
    const store = memoryKv(world.clock);
    const app = new Proactor(await moduleOf(name), {
      resources: grantsOf(name, world, upstream, store),
      clock: world.clock,
      instantiate: jspi(),
      ...(isolation && { isolation }),
      ...(limits && { limits }),
      onError: (report) => example.reports.push(report),
    });
    const example = new Example(world, store, app);
    started.push(example);
    return example;
  }

  /** Sends a request and lets time pass until it is answered. */
  async fetch(target: string, init?: RequestInit): Promise<Answer> {
    const response = await this.world.run(this.app.fetch(new Request(`http://localhost${target}`, init)));
    return { status: response.status, text: await this.world.run(response.text()) };
  }

  /** Of what kinds the reports are that the host's owner has got since the last call. */
  takeReports(): string[] {
    return this.reports.splice(0).map(({ kind, operation }) => `${kind} ${operation}`);
  }

  /** The text under a key, or null. */
  async get(key: string): Promise<string | null> {
    const bytes = await this.store.get(key, { type: "arrayBuffer" });
    return bytes && new TextDecoder().decode(bytes);
  }
}

// Whatever an example shows, it leaves nothing behind, and no failure of it reaches nobody.
afterEach(async () => {
  for (const { world, app, reports } of started.splice(0)) {
    await world.settle();
    expect(app.counters).toMatchObject({ contexts: 0, traps: 0 });
    expect(world.openBodies).toBe(0);
    expect(reports).toEqual([]);
  }
});
