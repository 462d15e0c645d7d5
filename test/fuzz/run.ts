// Bundles the fuzzers and runs them. Node alone takes no enums, and inlined numbers make it twice as fast.

import { build } from "esbuild";
import { path, ROOT } from "../../scripts/paths.ts";

// Directly in build/, since the bundle finds the repository's root from where it lies.
const outfile = path("build/fuzz.js");

await build({
  absWorkingDir: ROOT,
  entryPoints: ["test/fuzz/cli.ts"],
  outfile,
  bundle: true,
  minifySyntax: true,
  format: "esm",
  platform: "node",
  packages: "external",
  sourcemap: "inline",
  logLevel: "error",
});
process.setSourceMapsEnabled(true);
await import(outfile);
