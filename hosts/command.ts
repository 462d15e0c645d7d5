// Command: `serve`, from its flags to the last signal. What stands between the two is each host's own.

import process from "node:process";
import type { Shutdown } from "wasm-proactor";
import { USAGE, parseFlags } from "./flags.ts";
import type { Flags } from "./flags.ts";

/** Exit code for what the caller can put right. */
const BAD_USE = 2;

/** A host that listens. */
export interface Serving {
  /** Without a trailing slash. */
  readonly url: string;
  /** Graceful: resolves when all that is under way has been answered. Now: cuts that short. */
  end(mode: Shutdown): Promise<void>;
}

/** Starts what the command line says, and ends it by a signal: gracefully by the first, at once by the second. */
export async function command(start: (flags: Flags) => Promise<Serving>): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes("--help")) return console.log(USAGE);
  let serving: Serving;
  try {
    serving = await start(parseFlags(args));
  } catch (error) {
    // What keeps a host from starting is what it was given: a flag, a module, a port.
    console.error(error instanceof Error ? error.message : error);
    process.exit(BAD_USE);
  }
  let signals = 0;
  const end = async (): Promise<void> => {
    await serving.end(++signals === 1 ? "graceful" : "now");
    process.exit();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void end());
  console.log(`listening on ${serving.url}`);
}
