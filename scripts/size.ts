// The size budget: what a user's Worker carries because of this package. Prints a table; fails above the budget.

import { readFileSync } from "node:fs";
import { styleText } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { HOST_ENTRIES, path, ROOT } from "./paths.ts";

/** Bytes, and the budget for them: Infinity where there is none. */
export interface Size {
  what: string;
  raw: number;
  gzip: number;
  rawMax: number;
  gzipMax: number;
}

/** What build/ and src/ come to now. */
export async function measureSizes(): Promise<Size[]> {
  return [
    // A guest with serve, KV and fetch: the least that is useful. The budget is for the default runtime.
    sizeOf("guest: serve + KV + fetch", guest("size"), { raw: 7_936, gzip: 4_096 }),
    sizeOf("  on the minimal runtime", guest("size.minimal")),
    sizeOf("  on the stub runtime", guest("size.stub")),
    // As a bundler for Workers emits it, without the WASI functions: those are another package, and our glue to it.
    // The aim was 8,192. What is above it is in docs/decisions.md: sentences that say what to do, checks, and speed.
    sizeOf("host: wasm-proactor/cloudflare", await minified(["*/wasi.ts"]), { gzip: 15_030 }),
    // What such a Worker really carries. No budget: most of it is not ours.
    sizeOf("  and the WASI functions", await minified()),
  ];
}

function sizeOf(what: string, bytes: Uint8Array, budget: { raw?: number; gzip?: number } = {}): Size {
  const { raw: rawMax = Infinity, gzip: gzipMax = Infinity } = budget;
  return { what, raw: bytes.byteLength, gzip: gzipped(bytes), rawMax, gzipMax };
}

/** Bytes that are left of these on their way to a client. */
export const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).byteLength;

const guest = (name: string): Uint8Array => readFileSync(path(`build/test/${name}.wasm`));

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

if (import.meta.main) {
  console.log(`  ${"bytes".padEnd(32)}${"raw".padStart(18)}${"gzip".padStart(20)}`);
  for (const { what, raw, gzip, rawMax, gzipMax } of await measureSizes()) {
    console.log(`  ${what.padEnd(32)}${cell(raw, rawMax)}  ${cell(gzip, gzipMax)}`);
    if (raw > rawMax || gzip > gzipMax) process.exitCode = 1;
  }
  if (process.exitCode)
    console.error("Over budget: leave code out, or change the budget in scripts/size.ts with a reason.");
}
