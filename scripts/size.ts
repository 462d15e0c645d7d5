// The size budget: what a user's Worker carries because of this package. Prints a table; fails above the budget.

import { readFileSync } from "node:fs";
import { styleText } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { HOST_ENTRIES, path, ROOT } from "./paths.ts";

interface Row {
  what: string;
  bytes: Uint8Array;
  /** Bytes; Infinity where only the other number has a budget. */
  rawMax: number;
  gzipMax: number;
}

/** A guest with serve, KV and fetch, on the incremental runtime: the least that is useful. */
const guest: Row = {
  what: "guest: serve + KV + fetch",
  bytes: readFileSync(path("build/test/size.wasm")),
  rawMax: 10_240,
  gzipMax: 5_120,
};

/** As a bundler for Workers emits it, without the WASI functions: those are another package, and our glue to it. */
const host: Row = {
  what: "host: wasm-proactor/cloudflare",
  bytes: await minified(["*/wasi.ts"]),
  rawMax: Infinity,
  gzipMax: 10_240,
};

/** What such a Worker really carries. No budget: most of it is not ours. */
const total: Row = { what: "  and the WASI functions", bytes: await minified(), rawMax: Infinity, gzipMax: Infinity };

async function minified(leftOut: string[] = []): Promise<Uint8Array> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [HOST_ENTRIES.cloudflare],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    external: ["cloudflare:*", ...leftOut],
  });
  return outputFiles[0]!.contents;
}

function cell(bytes: number, max: number): string {
  const text = `${bytes.toLocaleString("en")} of ${max === Infinity ? "any" : max.toLocaleString("en")}`.padStart(18);
  return styleText(bytes > max ? "red" : "green", text);
}

console.log(`  ${"bytes".padEnd(32)}${"raw".padStart(18)}${"gzip".padStart(20)}`);
for (const { what, bytes, rawMax, gzipMax } of [guest, host, total]) {
  const gzip = gzipSync(bytes, { level: 9 }).byteLength;
  console.log(`  ${what.padEnd(32)}${cell(bytes.byteLength, rawMax)}  ${cell(gzip, gzipMax)}`);
  if (bytes.byteLength > rawMax || gzip > gzipMax) process.exitCode = 1;
}
if (process.exitCode)
  console.error("Over budget: leave code out, or change the budget in scripts/size.ts with a reason.");
