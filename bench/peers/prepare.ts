// Prepare: what a foreign peer needs before it can run. Nothing of it is committed or installed with this package: who
// does not measure has no use for it.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { path } from "../../scripts/paths.ts";
import { Unavailable } from "../compare.ts";

/** Peers that are made with packages of their own. */
const PACKAGED = new Set(["extism", "jco"]);

const prepared = new Map<string, Promise<void>>();
let installed: Promise<void> | undefined;

/** Installs and builds, once. Rejects with the reason if that cannot be done here. */
export function prepare(peer: string): Promise<void> {
  let done = prepared.get(peer);
  if (!done) prepared.set(peer, (done = make(peer)));
  return done;
}

async function make(peer: string): Promise<void> {
  try {
    if (PACKAGED.has(peer)) await (installed ??= install());
    const file = path("bench/peers", peer, "build.ts");
    if (!existsSync(file)) return;
    const { build } = (await import(file)) as { build(): Promise<void> | void };
    await build();
  } catch (error) {
    throw new Unavailable((error as Error).message, { cause: error });
  }
}

async function install(): Promise<void> {
  if (existsSync(path("bench/peers/node_modules"))) return;
  try {
    await promisify(execFile)("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: path("bench/peers"),
    });
  } catch (error) {
    throw new Error("its packages cannot be installed: `npm ci` in bench/peers fails", { cause: error });
  }
}

if (import.meta.main) for (const peer of process.argv.slice(2)) await prepare(peer);
