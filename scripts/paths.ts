// Where things lie. One place, because scripts, tests and the bench all start from the repository's root.

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root, whatever the working directory is. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** An absolute path inside the repository. */
export const path = (...parts: string[]): string => resolve(ROOT, ...parts);

/** The host library's entries: the name in `exports` and the source that it comes from. */
export const HOST_ENTRIES = {
  index: "src/index.ts",
  cloudflare: "src/cloudflare.ts",
  node: "src/node.ts",
  testing: "src/testing/index.ts",
  watch: "src/watch.ts",
  fiber: "src/fiber.ts",
  asyncify: "tools/asyncify.ts",
  "asyncify-cli": "tools/cli.ts",
};

/** What asc is told by `--transform` where it builds for release. */
export const HEAP_CHECKS = path("assembly/heap-checks.js");
