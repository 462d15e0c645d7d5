// WAT: compiles WebAssembly text. Results are kept in build/, since the compiler takes longer to load than to compile
// everything here.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { writeAtomically } from "./files.ts";
import { path } from "./paths.ts";

const FOLDER = path("build/wat");

/** Compiles a module from its text. Throws what the compiler says about it. */
export async function wat(text: string): Promise<WebAssembly.Module> {
  return new WebAssembly.Module(await watBytes(text));
}

/** The same, as the bytes of a `.wasm` file. */
export async function watBytes(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = `${FOLDER}/${createHash("sha256").update(text).digest("hex").slice(0, 32)}.wasm`;
  if (existsSync(file)) return new Uint8Array(readFileSync(file));
  const bytes = await compile(text);
  writeAtomically(file, bytes);
  return bytes;
}

async function compile(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const { default: binaryen } = await import("binaryen");
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  const bytes = new Uint8Array(module.emitBinary());
  module.dispose();
  return bytes;
}
