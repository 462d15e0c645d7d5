// Module: whether a WebAssembly module is a guest of this contract, and if not, what its author can do.

import { WASI_FUNCTIONS } from "./wasi.ts";

const CONTRACT = "proactor_v1";
const CONTRACT_IMPORTS = new Set(["submit", "poll", "open", "abort"]);
const WASI = "wasi_snapshot_preview1";

const EXPORTS = {
  memory: ["memory", "compile it so that it defines and exports its memory (asc does, unless told --importMemory)"],
  run: ["function", 'add `export { run } from "wasm-proactor"` to the entry file'],
  _initialize: ["function", "compile it with --exportStart _initialize, as wasm-proactor/asconfig.json does"],
} as const;

/** A module that cannot be a guest. The message says what is wrong and what to do. */
export class ModuleError extends Error {
  override readonly name = "ModuleError";
}

/** Throws a ModuleError with everything that is wrong. */
export function checkModule(module: WebAssembly.Module): void {
  const wrong = [...wrongImports(module), ...wrongExports(module)];
  if (wrong.length > 0)
    throw new ModuleError(`this module is no guest of ${CONTRACT}:\n${wrong.map((line) => `- ${line}`).join("\n")}`);
}

function* wrongImports(module: WebAssembly.Module): Iterable<string> {
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const known = (from === WASI && WASI_FUNCTIONS.has(name)) || (from === CONTRACT && CONTRACT_IMPORTS.has(name));
    if (!known || kind !== "function") yield `it imports ${kind} ${from}.${name}: ${adviceOnImport(from, name)}`;
  }
}

function adviceOnImport(from: string, name: string): string {
  if (/^proactor_v\d+$/.test(from) && from !== CONTRACT)
    return `compile it with the package's version whose contract is ${CONTRACT}, or update the host`;
  if (from === CONTRACT) return "this version of the contract has no such function";
  if (from === "env" && ["abort", "seed", "trace"].includes(name))
    return "compile it with the `use` and `lib` options of wasm-proactor/asconfig.json";
  return "this host does not provide it";
}

function* wrongExports(module: WebAssembly.Module): Iterable<string> {
  const found = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
  for (const [name, [kind, advice]] of Object.entries(EXPORTS)) {
    if (found.get(name) !== kind) yield `it exports no ${kind} "${name}": ${advice}`;
  }
}
