// Engines: the same seeds in two engines, each in a process of its own. Their hashes must be equal.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { INTERPRETERS, bundle } from "./bundle.ts";
import type { Planted } from "./planted.ts";

/** What runs a file of JavaScript: a program, and arguments to put before the file. */
export type Command = readonly [program: string, ...args: string[]];

export interface Comparison {
  /** What the engines call themselves. */
  names: [string, string];
  /** The first seed whose hashes differ, and everything that happened in it, in the one engine and in the other. */
  difference?: { seed: number; traces: [string, string] };
}

const OUTPUT_BYTES_MAX = 1 << 26;
/** An engine that is not done by then never will be. */
const ENGINE_MS_MAX = 600_000;

/** Throws if an engine cannot be run, or does not play all the seeds, each to its end. */
export async function compareEngines(
  commands: readonly [Command, Command],
  { from, count, bug }: { from: number; count: number; bug?: Planted },
): Promise<Comparison> {
  const folder = mkdtempSync(join(tmpdir(), "wasm-proactor-engines-"));
  try {
    const file = join(folder, "engine.mjs");
    writeFileSync(file, await bundle("simulate/engine.ts", bug));
    const [here, there] = await inBoth((command) => play(command, file, from, count));
    const names: [string, string] = [here.name, there.name];
    const index = here.hashes.findIndex((hash, index) => hash !== there.hashes[index]);
    if (index < 0) return { names };
    const seed = from + index;
    return { names, difference: { seed, traces: await inBoth((command) => run(command, file, "trace", seed, 1)) } };
  } finally {
    rmSync(folder, { recursive: true });
  }

  function inBoth<T>(what: (command: Command) => Promise<T>): Promise<[T, T]> {
    return Promise.all([what(commands[0]), what(commands[1])]);
  }
}

async function play(command: Command, file: string, from: number, count: number) {
  const [name = "", ...hashes] = (await run(command, file, "hash", from, count)).trimEnd().split("\n");
  if (hashes.length !== count) throw new Error(`${command.join(" ")} has played ${hashes.length} of ${count} seeds`);
  return { name, hashes };
}

async function run([program, ...args]: Command, file: string, mode: "hash" | "trace", from: number, count: number) {
  const argv = [...args, file, mode, `${from}`, `${count}`, ...INTERPRETERS];
  const { stdout } = await promisify(execFile)(program, argv, { maxBuffer: OUTPUT_BYTES_MAX, timeout: ENGINE_MS_MAX });
  return stdout;
}
