// Shipped: the bytes of each way to wait in a guest, in the noop workload: the modules, and the JavaScript around them as a
// bundler makes it small. A peer's few lines for the other workloads are in it.

import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { build } from "esbuild";
import type { Plugin } from "esbuild";
import { path, ROOT } from "../scripts/paths.ts";
import { gzipped } from "../scripts/size.ts";
import type { Cell, Metric } from "./compare.ts";
import { prepare } from "./peers/prepare.ts";

/** This package does more workloads than its peers: noop alone is taken from it. */
const OURS = `
import module from "./build/bench/noop.wasm";
import { Guest } from "./bench/peers/wasm-proactor/guest.ts";
export const noop = new Guest(module).at("noop");
`;

const PEERS = ["callback-table", "jspi", "asyncify", "jco", "jco-callback", "extism", "wasm-bindgen"];

const bytes = (what: string): Metric => ({ unit: `bytes, ${what}`, better: "less" });

export function shippedCell(): Cell {
  const metrics = {
    guest: bytes("guest"),
    guestGzip: bytes("guest, gzip"),
    host: bytes("host"),
    hostGzip: bytes("host, gzip"),
  };
  const ours = { name: "wasm-proactor", warmUp: async () => {}, measure: () => sizesOf(OURS) };
  const peers = PEERS.map((name) => ({
    name,
    start: () => prepare(name),
    warmUp: async () => {},
    measure: () => sizesOf(`export * from "./bench/peers/${name}/index.ts";`),
  }));
  return { metrics, roundsMax: 1, variants: [ours, ...peers] };
}

async function sizesOf(source: string): Promise<Record<string, number>> {
  const modules = new Set<string>();
  const collect: Plugin = {
    name: "wasm",
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm$/ }, ({ path: specifier, resolveDir }) => {
        modules.add(path(resolveDir, specifier));
        return { path: specifier, external: true };
      });
    },
  };
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    stdin: { contents: source, resolveDir: ROOT, loader: "ts" },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["node", "import"],
    external: ["node:*", ...builtinModules],
    logLevel: "silent",
    plugins: [collect],
  });
  const guests = [...modules].map((file) => readFileSync(file));
  const host = outputFiles[0]!.contents;
  return {
    guest: sum(guests.map(({ length }) => length)),
    guestGzip: sum(guests.map(gzipped)),
    host: host.length,
    hostGzip: gzipped(host),
  };
}

const sum = (numbers: number[]): number => numbers.reduce((all, one) => all + one, 0);
