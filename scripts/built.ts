// Built: builds what a program needs, and runs it. Who asks it for help waits for no build.
//
//   node scripts/built.ts [--only host|guest|worker]… [--quiet] -- simulate/run.ts --seed 42

import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "./build.ts";
import type { BuildOptions } from "./build.ts";
import { path } from "./paths.ts";

const { values, positionals } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    quiet: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const [program, ...args] = positionals;
process.argv.splice(1, Infinity, path(program!), ...args);
try {
  if (!args.some((arg) => arg === "--help" || arg === "-h"))
    for (const only of values.only ?? [undefined]) await build({ only, quiet: values.quiet } as BuildOptions);
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
await import(pathToFileURL(path(program!)).href);
