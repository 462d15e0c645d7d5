// The warning of the CPU limit, written here as the Workers runtime writes it: by wrapping WebAssembly.Instance.

import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Proactor } from "../src/index.ts";
import type { ErrorReport, Isolation } from "../src/index.ts";
import { path } from "../scripts/paths.ts";

const { Instance } = WebAssembly;
let instances: WebAssembly.Instance[];

beforeEach(() => {
  instances = [];
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      instances.push(this);
    }
  };
});

afterEach(() => {
  WebAssembly.Instance = Instance;
});

function word(name: string): DataView {
  const { exports } = instances.at(-1)!;
  const address = (exports[name] as WebAssembly.Global).value as number;
  return new DataView((exports["memory"] as WebAssembly.Memory).buffer, address, 4);
}

function start(isolation: Isolation, reports: ErrorReport[]): Promise<Proactor> {
  const bytes = readFileSync(path("build/test/cpu-limit.wasm"));
  return Proactor.instantiate(bytes, { isolation, onError: (report) => reports.push(report) });
}

const get = (app: Proactor, route: string): Promise<Response> => app.fetch(new Request(`http://localhost${route}`));

test.for(["pooled", "shared"] as const)(
  "cpu limit: a warning fails one request and no other (%s)",
  async (isolation) => {
    const reports: ErrorReport[] = [];
    const app = await start(isolation, reports);
    word("__instance_signal").setUint32(0, 24, true);
    const warned = await get(app, "/then");
    expect(warned.status).toBe(500);
    expect(reports.map(({ kind, message }) => ({ kind, message }))).toEqual([
      { kind: "trap", message: "the CPU limit is near" },
    ]);
    const next = await get(app, "/then");
    expect([next.status, await next.text()]).toEqual([200, "done"]);
    expect(app.counters).toMatchObject({ contexts: 0, inFlight: 1, instances: 1 });
  },
);

test("cpu limit: other signals are not the warning, and the module never says that it has ended", async () => {
  const app = await start("pooled", []);
  word("__instance_signal").setUint32(0, 15, true);
  expect(await (await get(app, "/now")).text()).toBe("far");
  expect(word("__instance_terminated").getUint32(0, true)).toBe(0);
});
