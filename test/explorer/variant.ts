// The module under exploration: compiled with the options that users get, and then given exports for its variables.
//
// A module's whole state is its memory and its mutable globals, and the globals cannot be reached unless they are
// exported. So names are appended to the export section of the very same binary, and all other sections are compared
// byte for byte. By hand, because tools that read and write whole modules reorder what they did not change.

import { existsSync, readFileSync } from "node:fs";
import asc from "assemblyscript/asc";
import { HEAP_CHECKS, path } from "../../scripts/paths.ts";

const GUEST = "test/guest/explorer/driven.ts";

const EXPORT_SECTION = 7;
const CODE_SECTION = 10;
const GLOBAL_KIND = 3;
const HEADER_BYTES = 8;

/** Plants a bug: in this file of the guest library, this text is replaced by that. */
export interface Patch {
  file: string;
  find: string;
  replace: string;
}

export interface Variant {
  readonly module: WebAssembly.Module;
  /** The mutable globals by the names of their declarations, `assembly/handler-table/slots`, in the module's order. */
  readonly globals: readonly string[];
  /** Bytes of code, which are those of the module as it was compiled. */
  readonly codeBytes: number;
}

/** Compiles a guest, with planted bugs if there are any, and exports its mutable globals. */
export async function compileVariant(patches: readonly Patch[] = [], guest = GUEST): Promise<Variant> {
  const { wasm, text } = await compile(patches, guest);
  const globals = mutableGlobals(text);
  const variant = withExports(wasm, globals);
  return {
    module: new WebAssembly.Module(variant),
    globals: globals.map(({ name }) => name),
    codeBytes: sameButExports(wasm, variant),
  };
}

async function compile(patches: readonly Patch[], guest: string): Promise<{ wasm: Uint8Array; text: string }> {
  const written = new Map<string, string | Uint8Array>();
  let diagnostics = "";
  // The text is written from the same module as the binary, and has the names that the binary has not.
  const options = ["--config", "asconfig.json", "--target", "release", "--transform", HEAP_CHECKS];
  const outputs = ["--outFile", "wasm", "--textFile", "text"];
  const { error } = await asc.main([guest, ...options, ...outputs], {
    readFile: (name, baseDir) => {
      const file = path(baseDir, name);
      return existsSync(file) ? patched(file, readFileSync(file, "utf8"), patches) : null;
    },
    writeFile: (name, contents) => void written.set(name, contents),
    stderr: { write: (output: string | Uint8Array) => void (diagnostics += output) },
  });
  if (error) throw new Error(`${guest} does not compile:\n${diagnostics}`);
  return { wasm: written.get("wasm") as Uint8Array, text: written.get("text") as string };
}

function patched(file: string, source: string, patches: readonly Patch[]): string {
  return patches
    .filter((patch) => path(patch.file) === file)
    .reduce((text, { find, replace }) => {
      if (text.split(find).length !== 2) throw new Error(`${file} does not contain this exactly once: ${find}`);
      return text.replace(find, () => replace);
    }, source);
}

interface NamedGlobal {
  name: string;
  index: number;
}

function mutableGlobals(text: string): NamedGlobal[] {
  if (/\(import .*\(global /.test(text)) throw new Error("imported globals would shift the indices");
  return [...text.matchAll(/^ \(global \$(\S+) (\(mut i32\)|\S+)/gm)].flatMap(([, name, type], index) => {
    if (type!.startsWith("(")) return { name: name!, index };
    return [];
  });
}

/** Each global is exported under its own name. */
function withExports(wasm: Uint8Array, globals: readonly NamedGlobal[]): Uint8Array<ArrayBuffer> {
  const variant = [...wasm.subarray(0, HEADER_BYTES)];
  for (const { id, bytes } of sectionsOf(wasm)) {
    const content = id === EXPORT_SECTION ? withGlobals(bytes, globals) : [...bytes];
    variant.push(id, ...unsigned(content.length), ...content);
  }
  return Uint8Array.from(variant);
}

function withGlobals(exports: Uint8Array, globals: readonly NamedGlobal[]): number[] {
  const [count, start] = readUnsigned(exports, 0);
  const added = globals.flatMap(({ name, index }) => {
    const encoded = new TextEncoder().encode(name);
    return [...unsigned(encoded.length), ...encoded, GLOBAL_KIND, ...unsigned(index)];
  });
  return [...unsigned(count + globals.length), ...exports.subarray(start), ...added];
}

/** Throws unless the two modules differ in nothing but their exports. Returns how many bytes of code they share. */
function sameButExports(original: Uint8Array, variant: Uint8Array): number {
  const [before, after] = [sectionsOf(original), sectionsOf(variant)];
  const same = before.length === after.length && before.every((section, index) => isSame(section, after[index]!));
  if (!same) throw new Error("the variant differs from the compiled module in more than its exports");
  return before.find(({ id }) => id === CODE_SECTION)!.bytes.length;
}

function isSame(before: Section, after: Section): boolean {
  if (before.id !== after.id) return false;
  return before.id === EXPORT_SECTION || Buffer.compare(before.bytes, after.bytes) === 0;
}

// The binary format, as far as it is needed: sections, and unsigned LEB128.

interface Section {
  id: number;
  bytes: Uint8Array;
}

function sectionsOf(wasm: Uint8Array): Section[] {
  const sections: Section[] = [];
  for (let at = HEADER_BYTES; at < wasm.length;) {
    const [length, start] = readUnsigned(wasm, at + 1);
    sections.push({ id: wasm[at]!, bytes: wasm.subarray(start, start + length) });
    at = start + length;
  }
  return sections;
}

function readUnsigned(bytes: Uint8Array, at: number): [value: number, end: number] {
  for (let value = 0, shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
