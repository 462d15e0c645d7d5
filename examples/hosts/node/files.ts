// Files: the one binary that all hosts of this folder serve, and the values that they put into its store.

import { readFile } from "node:fs/promises";
import type { KvStore } from "wasm-proactor";
import { memoryKv } from "wasm-proactor/node";

const fileNamed = (name: string) => readFile(new URL(`../${name}`, import.meta.url));

export const guest = await fileNamed("guest.wasm");

export async function filledStore(): Promise<KvStore> {
  const store = memoryKv();
  const values = JSON.parse((await fileNamed("kv.json")).toString()) as Record<string, string>;
  for (const [key, value] of Object.entries(values)) await store.put(key, new TextEncoder().encode(value).buffer, {});
  return store;
}
