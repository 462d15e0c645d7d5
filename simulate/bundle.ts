// Bundle: the simulator as one file that runs anywhere, and the interpreter's modules; with a planted bug on demand.

import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import type { Plugin } from "esbuild";
import type { GuestJob, GuestResult } from "../scripts/asc-worker.ts";
import { ROOT, path } from "../scripts/paths.ts";
import { patched } from "./planted.ts";
import type { Planted } from "./planted.ts";
import type * as Seed from "./seed.ts";

export interface Simulator {
  runSeed: typeof Seed.runSeed;
  interpreters: Seed.Interpreters;
}

const GUEST = "simulate/guest/program.ts";

/** The interpreter's files, one for each runtime. */
export const INTERPRETERS = ["program", "program.minimal", "program.stub"].map((name) =>
  path(`build/simulate/${name}.wasm`),
);

/** Bundles the simulator and loads it. Its guest is the one in build/, unless a bug is planted in the guest's half. */
export async function loadSimulator(bug?: Planted): Promise<Simulator> {
  const folder = mkdtempSync(join(tmpdir(), "wasm-proactor-simulate-"));
  try {
    const outfile = join(folder, "seed.mjs");
    writeFileSync(outfile, await bundle("simulate/seed.ts", bug));
    const { runSeed } = (await import(pathToFileURL(outfile).href)) as typeof Seed;
    const isInGuest = bug?.file.startsWith("assembly/");
    const interpreters = bug && isInGuest ? [await compile(bug)] : loadInterpreters();
    return { runSeed, interpreters };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Those in build/. */
export function loadInterpreters(): WebAssembly.Module[] {
  return INTERPRETERS.map((file) => new WebAssembly.Module(readFileSync(file)));
}

/** One file of JavaScript, whatever runs it. */
export async function bundle(entry: string, bug?: Planted): Promise<Uint8Array> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["node:*"],
    target: "es2022",
    sourcemap: "inline",
    logLevel: "error",
    plugins: bug ? [plant(bug)] : [],
  });
  return outputFiles[0]!.contents;
}

function plant(bug: Planted): Plugin {
  const file = path(bug.file);
  return {
    name: "planted bug",
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, (loading) =>
        loading.path === file ? { contents: patched(readFileSync(file, "utf8"), bug), loader: "ts" } : undefined,
      );
    },
  };
}

/** With the default runtime: compiling takes longer than finding the bug. */
async function compile(bug: Planted): Promise<WebAssembly.Module> {
  const compiler = new Worker(new URL("../scripts/asc-worker.ts", import.meta.url));
  const argv = ["--config", "asconfig.json", "--target", "release", "--exportRuntime"];
  const patches = { [path(bug.file)]: patched(readFileSync(path(bug.file), "utf8"), bug) };
  compiler.postMessage({ entry: GUEST, outFile: "program.wasm", argv, patches } satisfies GuestJob);
  const [{ wasm, diagnostics }] = (await once(compiler, "message")) as [GuestResult];
  await compiler.terminate();
  if (!wasm) throw new Error(`${GUEST} does not compile with the bug "${bug.title}":\n${diagnostics}`);
  return new WebAssembly.Module(wasm as BufferSource);
}
