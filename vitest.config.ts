// Three projects, because the same behaviour is promised in several places: most tests run in Node, those of fibers in a
// Node that has been asked for stacks, and those in test/workerd inside the Workers runtime itself. All use what
// scripts/build.ts made; `npm test` builds first.

import { availableParallelism } from "node:os";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { upstreamForVitest } from "./scripts/miniflare.ts";

export default defineConfig({
  test: {
    // On two cores vitest would take one worker, and the tests twice as long: many of them wait for workerd.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/workerd/**", "test/fiber/**"],
          setupFiles: ["test/support/seed.ts"],
          // Some tests start workerd or install a package, and no machine is too slow to pass.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // In a process of its own: the pinned Node has JSPI only if it is asked for.
        test: {
          name: "fiber",
          include: ["test/fiber/**/*.test.ts"],
          setupFiles: ["test/support/seed.ts"],
          execArgv: ["--experimental-wasm-jspi", "--expose-gc"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { cf: false, workers: [await upstreamForVitest()] },
          })),
        ],
        test: { name: "workerd", include: ["test/workerd/**/*.test.ts"], testTimeout: 120_000 },
      },
    ],
  },
});
