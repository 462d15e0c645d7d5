// asc: compiles a guest inside a test, for what scripts/build.ts does not build.

import { existsSync, readFileSync } from "node:fs";
import asc from "assemblyscript/asc";
import { path } from "../../scripts/paths.ts";

export interface Compiled {
  /** None if it does not compile. */
  wasm: Uint8Array<ArrayBuffer> | undefined;
  diagnostics: string;
}

/** Compiles `entry`, relative to the root, with the configuration of this repository; `source` instead of the file. */
export async function compileGuest(entry: string, argv: string[], source?: string): Promise<Compiled> {
  const compiled: Compiled = { wasm: undefined, diagnostics: "" };
  await asc.main([entry, "--config", "asconfig.json", ...argv, "--outFile", "guest.wasm"], {
    readFile: (name, baseDir) => {
      if (source !== undefined && name === entry) return source;
      const file = path(baseDir, name);
      return existsSync(file) ? readFileSync(file, "utf8") : null;
    },
    writeFile: (name, contents) => {
      if (name.endsWith(".wasm")) compiled.wasm = contents as Uint8Array<ArrayBuffer>;
    },
    stderr: { write: (text: string | Uint8Array) => void (compiled.diagnostics += text) },
  });
  return compiled;
}
