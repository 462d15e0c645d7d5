// Module: whether a WebAssembly module is a guest of this contract, and if not, what its author can do.

import { WASI_FUNCTIONS } from "./wasi.ts";

const CONTRACT = "proactor_v1";

const IMPORTS = new Map<string, ReadonlySet<string>>([
  [CONTRACT, new Set(["submit", "poll", "open", "abort"])],
  ["wasi_snapshot_preview1", WASI_FUNCTIONS],
]);

const EXPORTS = { memory: "memory", run: "function", _initialize: "function" };

/** One for all mistakes: most modules that make one were compiled without the package's configuration and make three. */
const ADVICE =
  'Compile it with wasm-proactor/asconfig.json and `export { run } from "wasm-proactor"`, ' +
  `by a version of the package whose contract is ${CONTRACT}; fibers need run_fiber too, and instantiate: jspi(), or wasm-proactor-asyncify.`;

/** What works on every platform, those that compile nothing at run time included. */
export const IMPORT_ADVICE = 'import the .wasm file, as in `import app from "./app.wasm"`';

/** A module that cannot be a guest. The message says what is wrong and what to do. */
export class ModuleError extends Error {
  override readonly name = "ModuleError";
}

/** Throws a ModuleError with everything that is wrong. With `instantiate` there may be somebody who runs fibers. */
export function checkModule(module: WebAssembly.Module, instantiate?: unknown): void {
  if (!(module instanceof WebAssembly.Module)) throw new ModuleError(`this is no compiled module: ${IMPORT_ADVICE}`);
  const wrong = [...wrongImports(module, instantiate), ...wrongExports(module)];
  if (wrong.length > 0)
    throw new ModuleError(`this module is no guest of ${CONTRACT}:\n- ${wrong.join("\n- ")}\n${ADVICE}`);
}

function wrongImports(module: WebAssembly.Module, instantiate: unknown): string[] {
  return WebAssembly.Module.imports(module)
    .filter(({ module: from, name, kind }) => kind !== "function" || !IMPORTS.get(from)?.has(name))
    .filter(({ module: from }) => !instantiate || from !== "proactor_v1_fiber")
    .map(({ module: from, name, kind }) => `it imports ${kind} ${from}.${name}: this host does not provide it`);
}

function wrongExports(module: WebAssembly.Module): string[] {
  const found = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
  return Object.entries(EXPORTS)
    .filter(([name, kind]) => found.get(name) !== kind)
    .map(([name, kind]) => `it exports no ${kind} "${name}"`);
}
