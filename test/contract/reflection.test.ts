// By reflection: what modules import and export, what the host passes them, and what docs/contract.md lists.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { path } from "../../scripts/paths.ts";
import { Proactor } from "../../src/index.ts";
import { checkModule } from "../../src/module.ts";
import { Page, codeIn } from "../docs/markdown.ts";
import type { Table } from "../docs/markdown.ts";

const CONTRACT = "proactor_v1";
const WASI = "wasi_snapshot_preview1";

const page = new Page("docs/contract.md");
const signatures = page.table("function", "does").map(([signature]) => codeIn(signature!));
const provided = signatures.map((signature) => signature.slice(0, signature.indexOf("(")));
const served = page.table("function", "this host").map(([name]) => codeIn(name!));
const listed = (table: Table) => table.map(([name, kind]) => ({ name: codeIn(name!), kind: kind! }));
const exported = listed(page.table("export", "kind", "is"));
const optional = listed(page.table("optional export", "kind", "is"));

const moduleAt = (file: string) => new WebAssembly.Module(readFileSync(path(file)));

const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);

const guests = ["build/worker.wasm", "build/test/size.wasm"];

test.for(guests)("contract: %s imports what the page lists and nothing else", (file) => {
  const imports = WebAssembly.Module.imports(moduleAt(file));
  const known = new Set([...provided.map((name) => `${CONTRACT}.${name}`), ...served.map((name) => `${WASI}.${name}`)]);
  expect(imports.filter(({ module, name }) => !known.has(`${module}.${name}`))).toEqual([]);
  expect(imports.filter(({ kind }) => kind !== "function")).toEqual([]);
});

test.for(guests)("contract: %s exports what the page lists and nothing else", (file) => {
  const needed = new Set(exported.map(({ name }) => name));
  const exports = WebAssembly.Module.exports(moduleAt(file)).toSorted(byName);
  expect(exports.filter(({ name }) => needed.has(name))).toEqual(exported.toSorted(byName));
  expect(optional).toEqual(expect.arrayContaining(exports.filter(({ name }) => !needed.has(name))));
});

test("contract: the guest library declares the page's functions, with the page's parameters", () => {
  const source = readFileSync(path("assembly/proactor_v1.ts"), "utf8");
  const declared = [...source.matchAll(/export declare function (\w+)\(([^)]*)\): (\w+);/g)].map((match) => {
    const parameters = [...match[2]!.matchAll(/(\w+): (?:usize|u32)/g)].map((parameter) => parameter[1]);
    return `${match[1]}(${parameters.join(", ")})${match[3] === "void" ? "" : ` -> ${match[3]}`}`;
  });
  expect(declared).toEqual(signatures);
});

test("contract: the host provides the page's functions, with as many parameters", () => {
  const { [CONTRACT]: functions } = importsPassedTo(moduleAt("build/test/size.wasm"));
  const passed = Object.entries(functions!).map(([name, fn]) => `${name}/${(fn as () => void).length}`);
  expect(passed).toEqual(signatures.map((text, index) => `${provided[index]}/${text.split(",").length}`));
});

test("contract: the host serves the page's WASI functions to a module that asks for them", () => {
  const module = moduleOf(served.map((name) => [WASI, name]));
  const { [WASI]: functions } = importsPassedTo(module);
  expect(served.filter((name) => typeof functions![name] !== "function")).toEqual([]);
});

test("contract: a module that imports all that the page lists is a guest", () => {
  const all = [...provided.map((name) => [CONTRACT, name]), ...served.map((name) => [WASI, name])];
  expect(() => checkModule(moduleOf(all as [string, string][]))).not.toThrow();
});

test.for([
  [CONTRACT, "sleep"],
  ["proactor_v2", "submit"],
  ["env", "abort"],
] as [string, string][])("contract: a module that imports %s.%s is refused by name", ([from, name]) => {
  expect(() => checkModule(moduleOf([[from, name]]))).toThrow(`${from}.${name}`);
});

test.for(exported.map(({ name }) => name))("contract: a module without the export %s is refused by name", (name) => {
  expect(() => checkModule(moduleOf([], [name]))).toThrow(`"${name}"`);
});

/** What the host passes when it instantiates the module. */
function importsPassedTo(module: WebAssembly.Module): Record<string, Record<string, unknown>> {
  const { Instance } = WebAssembly;
  let passed: unknown;
  WebAssembly.Instance = class extends Instance {
    constructor(of: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(of, imports);
      passed = imports;
    }
  };
  try {
    void new Proactor(module, { onError: () => {} });
  } finally {
    WebAssembly.Instance = Instance;
  }
  return passed as Record<string, Record<string, unknown>>;
}

// WebAssembly's binary format, as much of it as a module takes whose functions do nothing.

const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** () -> () and (i32) -> i32. */
const TYPES = [
  [0x60, 0, 0],
  [0x60, 1, 0x7f, 1, 0x7f],
];
/** `_initialize` returns, `run` returns 0. */
const BODIES = [
  [2, 0, 0x0b],
  [4, 0, 0x41, 0, 0x0b],
];

/** A module with these imports and the contract's exports. `without`: exports that are left out. */
function moduleOf(imports: [from: string, name: string][], without: string[] = []): WebAssembly.Module {
  const exports = [
    entry("memory", 2, 0),
    entry("_initialize", 0, imports.length),
    entry("run", 0, imports.length + 1),
  ].filter((_, index) => !without.includes(["memory", "_initialize", "run"][index]!));
  return new WebAssembly.Module(
    new Uint8Array([
      ...MAGIC_AND_VERSION,
      ...section(1, TYPES),
      ...section(
        2,
        imports.map(([from, name]) => [text(from), text(name), [0, 0]].flat()),
      ),
      ...section(3, [[0], [1]]),
      ...section(5, [[0, 1]]),
      ...section(7, exports),
      ...section(10, BODIES),
    ]),
  );
}

function entry(name: string, kind: number, index: number): number[] {
  return [...text(name), kind, index];
}

function section(id: number, entries: number[][]): number[] {
  const content = [entries.length, ...entries.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function text(of: string): number[] {
  return [of.length, ...Buffer.from(of)];
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
