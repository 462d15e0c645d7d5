// Two projects, because the same behaviour is promised in two places: most tests run in Node, those in test/workerd
// inside the Workers runtime itself. Both use what scripts/build.ts made; `npm test` builds first.

import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { upstreamForVitest } from "./scripts/miniflare.ts";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/workerd/**"],
          setupFiles: ["test/support/seed.ts"],
          // Some tests start workerd or install a package.
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { cf: false, workers: [await upstreamForVitest()] },
          })),
        ],
        test: { name: "workerd", include: ["test/workerd/**/*.test.ts"], testTimeout: 30_000 },
      },
    ],
  },
});
