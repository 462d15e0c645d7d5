// Serve: a module behind a platform's HTTP server, from the flags to the last signal. A platform brings its server and its
// store; all else is the same for each.

import { readFile } from "node:fs/promises";
import process from "node:process";
import { Proactor, kv, origin } from "wasm-proactor";
import type { Grants, KvStore } from "wasm-proactor";
import { memoryKv } from "wasm-proactor/node";
import { BadUse, parseFlags } from "./flags.ts";
import type { Flags } from "./flags.ts";

const BAD_USE = 2;

export interface Platform {
  /** A KV namespace in a file. */
  fileKv(path: string): Promise<KvStore>;
  listen(answer: (request: Request) => Promise<Response>, at: Listening): Promise<HttpServer>;
}

export interface Listening {
  readonly hostname: string;
  /** 0 is any that is free. */
  readonly port: number;
}

export interface HttpServer {
  /** Without a trailing slash. */
  readonly url: string;
  /** Takes no more connections. Resolves when all answers are sent. */
  stop(): Promise<void>;
  /** Ends all connections, whatever they are in the middle of. */
  destroy(): void;
}

/** Serves what the command line says until a signal comes. */
export async function serve(platform: Platform, args: readonly string[] = process.argv.slice(2)): Promise<void> {
  try {
    const flags = parseFlags(args);
    const app = await start(flags, platform);
    const server = await platform.listen((request) => app.fetch(request), flags);
    endBySignal(app, server);
    console.log(`listening on ${server.url}`);
  } catch (error) {
    // Whatever keeps it from starting is something that the caller has given.
    console.error(error instanceof Error ? error.message : error);
    process.exit(BAD_USE);
  }
}

async function start({ module, isolation, kv, origins }: Flags, platform: Platform): Promise<Proactor> {
  return Proactor.instantiate(await bytesOf(module), {
    isolation,
    resources: await grantsOf({ kv, origins }, platform),
  });
}

async function bytesOf(module: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(module));
  } catch (error) {
    throw new BadUse(`${module} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function grantsOf(flags: Pick<Flags, "kv" | "origins">, { fileKv }: Platform): Promise<Grants> {
  const resources: Grants = {};
  for (const [name, { rights, path }] of Object.entries(flags.kv))
    resources[name] = kv(path ? await fileKv(path) : memoryKv(), rights && { rights });
  for (const [name, urls] of Object.entries(flags.origins)) resources[name] = origin(urls);
  return resources;
}

/** The first signal lets what is under way end well, the second does not. */
function endBySignal(app: Proactor, server: HttpServer): void {
  let signals = 0;
  const end = async (): Promise<void> => {
    if (++signals > 1) {
      await app.shutdown("now");
      server.destroy();
    } else {
      await Promise.all([server.stop(), app.shutdown()]);
    }
    process.exit();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void end());
}
