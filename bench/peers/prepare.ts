// Prepare: what a foreign peer needs before it can run. Nothing of it is committed or installed with this package: who
// does not measure has no use for it.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { path } from "../../scripts/paths.ts";
import { Unavailable } from "../compare.ts";

/** Made with tools that are no dependency of this package, and that take longer to get than a quick run takes. */
const FOREIGN = new Set(["extism", "jco", "jco-callback", "wasm-bindgen"]);

export const isAtHand = (peer: string): boolean => !FOREIGN.has(peer);

const prepared = new Map<string, Promise<void>>();

/** Installs and builds, once. Rejects with the reason if that cannot be done here. */
export function prepare(peer: string): Promise<void> {
  let done = prepared.get(peer);
  if (!done) prepared.set(peer, (done = make(peer)));
  return done;
}

async function make(peer: string): Promise<void> {
  const folder = path("bench/peers", peer);
  try {
    if (existsSync(`${folder}/package.json`) && !existsSync(`${folder}/node_modules`)) await install(folder);
    if (!existsSync(`${folder}/build.ts`)) return;
    const { build } = (await import(`${folder}/build.ts`)) as { build(): Promise<void> | void };
    await build();
  } catch (error) {
    throw new Unavailable((error as Error).message, { cause: error });
  }
}

async function install(folder: string): Promise<void> {
  try {
    await promisify(execFile)("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
  } catch (error) {
    throw new Error("its packages cannot be installed: `npm ci` in its folder fails", { cause: error });
  }
}
