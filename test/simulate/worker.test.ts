// The example Worker's guest in worlds that its author has not thought of: whatever happens, it answers, and is not to blame.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { path } from "../../scripts/paths.ts";
import { simulate } from "../../src/testing/index.ts";

const SEEDS = 60;
const PATHS = ["/", "/hello", "/kv", "/kv/a", "/kv/b", "/aggregate?n=5&delay=100", "/page/a", "/sleep/20", "/proxy/x"];
const ISOLATIONS = ["request", "pooled", "shared"] as const;

const module = new WebAssembly.Module(readFileSync(path("build/worker.wasm")));

test(
  `worker: ${SEEDS} worlds, and no request fails for a reason of the guest's own`,
  { timeout: 600_000 },
  async () => {
    const statuses = new Set<number>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      await simulate(module, {
        seed,
        isolation: ISOLATIONS[seed % 3]!,
        request: (_, random, world) => {
          const url = `http://worker.test${random.pick(PATHS)}`;
          if (random.chance(0.7)) return new Request(url);
          const body = world.body(new Uint8Array(random.between(0, 50_000)));
          return new Request(url, { method: "PUT", body, duplex: "half" } as RequestInit);
        },
        resources: (world) => ({
          CACHE: world.kv(),
          UPSTREAM: world.origin("http://upstream.internal", () => new Response(new Uint8Array(5000))),
        }),
        onAnswer: ({ response: { status } }) => void statuses.add(status),
      });
    }
    expect(statuses).not.toContain(500);
    expect([...statuses]).toEqual(expect.arrayContaining([200, 204, 404, 405, 502]));
  },
);
