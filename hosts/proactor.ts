// Proactor: the module of the command line, with what it is granted there. For every host that has files.

import { readFile } from "node:fs/promises";
import { Proactor, kv, origin } from "wasm-proactor";
import type { Grants, KvStore } from "wasm-proactor";
import { memoryKv } from "wasm-proactor/node";
import { BadUse } from "./flags.ts";
import type { Flags } from "./flags.ts";

/** Makes a KV namespace in a file. */
export type FileKv = (path: string) => Promise<KvStore>;

export async function proactorOf(flags: Flags, fileKv: FileKv): Promise<Proactor> {
  const { module, isolation } = flags;
  return Proactor.instantiate(await bytesOf(module), { isolation, resources: await grantsOf(flags, fileKv) });
}

async function bytesOf(module: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(module));
  } catch (error) {
    throw new BadUse(`${module} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function grantsOf(flags: Flags, fileKv: FileKv): Promise<Grants> {
  const resources: Grants = {};
  for (const [name, { rights, path }] of Object.entries(flags.kv))
    resources[name] = kv(path ? await opened(path, fileKv) : memoryKv(), rights && { rights });
  for (const [name, urls] of Object.entries(flags.origins)) resources[name] = origin(urls);
  return resources;
}

/** What a database says is wrong does not name the file. */
async function opened(path: string, fileKv: FileKv): Promise<KvStore> {
  try {
    return await fileKv(path);
  } catch (error) {
    throw new BadUse(`${path} cannot be opened: ${(error as Error).message}`, { cause: error });
  }
}
