// One compiler thread. asc is single-threaded, so several guests compile at once only in several threads; a thread is
// kept for many guests because loading the compiler takes longer than compiling one.

import { existsSync, readFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import asc from "assemblyscript/asc";
import { asyncify } from "../tools/asyncify.ts";
import { HEAP_CHECKS, path } from "./paths.ts";

/** What a compiler thread is asked for. Paths are relative to the repository's root. */
export interface GuestJob {
  entry: string;
  outFile: string;
  argv: string[];
  /** Whether to put the module through Asyncify, too. */
  asyncified?: boolean;
  /** Texts to compile instead of files, by absolute path. */
  patches?: Record<string, string>;
}

/** What it answers: the module (null if it does not compile), the files that asc asked for, and what asc said. */
export interface GuestResult {
  wasm: Uint8Array | null;
  asyncified?: Uint8Array;
  reads: string[];
  diagnostics: string;
}

/** Where asc looks for the package that this is. A guest that imports it by its name gets the sources here. */
const OWN_PACKAGE = path("node_modules/wasm-proactor");

async function compile(job: GuestJob): Promise<GuestResult> {
  const result: GuestResult = { wasm: null, reads: [], diagnostics: "" };
  // As the configuration that users extend has it; there asc finds the file by the package's name.
  const transform = job.argv.includes("release") ? ["--transform", HEAP_CHECKS] : [];
  if (transform.length > 0) result.reads.push(HEAP_CHECKS);
  const { error } = await asc.main([job.entry, ...job.argv, ...transform, "--outFile", job.outFile], {
    readFile(name, baseDir) {
      // An absent file is recorded as well: creating it later may change what an import resolves to.
      const file = path(baseDir, name).replace(OWN_PACKAGE, path(""));
      result.reads.push(file);
      const patch = job.patches?.[file];
      if (patch !== undefined) return patch;
      return existsSync(file) ? readFileSync(file, "utf8") : null;
    },
    writeFile(name, contents) {
      if (name === job.outFile) result.wasm = contents as Uint8Array;
    },
    stderr: { write: (text: string | Uint8Array) => void (result.diagnostics += text) },
  });
  if (error) {
    result.wasm = null;
    result.diagnostics ||= error.message;
  }
  if (result.wasm && job.asyncified) {
    result.asyncified = asyncify(result.wasm);
    result.reads.push(path("tools/asyncify.ts"));
  }
  // Binaryen's remark on its own optimiser; nobody can act on it.
  result.diagnostics = result.diagnostics.replace(/Last converge was suboptimal\.\n?/, "").trim();
  return result;
}

parentPort!.on("message", async (job: GuestJob) => parentPort!.postMessage(await compile(job)));
