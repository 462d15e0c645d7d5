// Program: a sample from a Node process that is started for it alone and prints it as JSON. For what a peer's `Run` cannot
// tell: distributions, and what happens only once in a process.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { path } from "../scripts/paths.ts";
import { FLAGS } from "./node.ts";

/** Runs a file of bench/node/. Rejects with what it says if it fails. */
export async function runProgram(file: string, ...args: (string | number)[]): Promise<Record<string, number>> {
  const argv = [...process.execArgv, ...FLAGS, path("bench/node", file), ...args.map(String)];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  return JSON.parse(stdout) as Record<string, number>;
}
