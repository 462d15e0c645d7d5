// Node's tests alone: the plugin that runs tests inside workerd would be started for each mutant.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/workerd/**"],
    setupFiles: ["test/support/seed.ts"],
    // For the tests of fibers.
    execArgv: ["--experimental-wasm-jspi"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    watch: false,
  },
});
