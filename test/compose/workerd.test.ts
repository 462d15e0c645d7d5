// The real platform: what a request waits for is handed on across requests there too.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import type { Local } from "../../scripts/miniflare.ts";
import { path } from "../../scripts/paths.ts";
import type { Counters, ErrorReport } from "../../src/index.ts";
import { eventually } from "../support/hosts.ts";
import { encode } from "./script.ts";
import type { Op, Shared, Step } from "./script.ts";

const SHARED: Shared = { gates: [{ limit: 1, room: 9 }], channels: [0] };

let local: Local;

beforeAll(async () => {
  local = await startLocal({
    entry: "test/workerd/fixture/guest.ts",
    isolation: "shared",
    modules: { "guest.wasm": await readFile(path("build/test/compose.wasm")) },
    // No wait ends by itself while a test lasts.
    bindings: { ORIGINS: ["http://one.test"], LIMITS: { waitMs: 600_000 } },
  });
});

afterAll(() => local.dispose());

const send = (...steps: Step[]): Promise<Response> => fetch(`${local.url}/?${encode(SHARED, steps)}`);

const ask = async <T>(what: string): Promise<T> => (await fetch(`${local.url}/.host/${what}`)).json() as Promise<T>;

const submit = (number: number, operation: Op, next: Step[] = []): Step => ({ do: "submit", number, operation, next });
const limited = (ms: number): Op => ({ op: "limit", gate: 0, of: { op: "timer", ms } });

async function expectNothingLeft(): Promise<void> {
  await eventually(async () => expect(await ask<Counters>("counters")).toMatchObject({ contexts: 0, inFlight: 1 }));
  expect(await ask<Counters>("counters")).toMatchObject({ instantiated: 1, instances: 1 });
}

test("workerd: a place at a gate goes from request to request", async () => {
  await Promise.all([10, 10, 10, 10].map((ms) => send(submit(0, limited(ms)))));
  await expectNothingLeft();
});

test("workerd: a request that traps hands its place on to one that has nothing else to do", async () => {
  await send(submit(0, limited(600_000)), submit(1, { op: "timer", ms: 100 }, [{ do: "trap" }]));
  await send(submit(0, limited(10)));
  await expectNothingLeft();
  expect(await ask<ErrorReport[]>("reports")).toMatchObject([{ kind: "trap" }]);
});

test("workerd: a value goes from one request to another", async () => {
  await send(submit(0, { op: "receive", channel: 0 }));
  await send(submit(0, { op: "send", channel: 0, value: 7 }));
  await expectNothingLeft();
});
