// Reads sources for the rules. Regular expressions suffice: the formatter leaves only one way to write an import.

import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { path, ROOT } from "../../scripts/paths.ts";

export interface Import {
  /** As written. */
  specifier: string;
  /** The imported file, relative to the root and without extension; null for a package. */
  target: string | null;
  typeOnly: boolean;
}

/** The TypeScript files of a folder. A rule about nothing would pass for ever, hence the error. */
export function filesOf(folder: string): string[] {
  const files = globSync(`${folder}/**/*.ts`, { cwd: ROOT }).toSorted();
  if (files.length === 0) throw new Error(`there are no sources in ${folder}/: the rules about it check nothing`);
  return files;
}

export const textOf = (file: string): string => readFileSync(path(file), "utf8");

/** What a file imports or re-exports. */
export function importsOf(file: string): Import[] {
  const code = withoutComments(textOf(file));
  const statement = /^\s*(?:import|export)\s+(type\s)?(?:[\w*{][^"';]*?from\s*)?["']([^"']+)["']/gm;
  const dynamic = /\bimport\(\s*["']([^"']+)["']/g;
  return [
    ...[...code.matchAll(statement)].map((match) => imported(file, match[2]!, match[1] !== undefined)),
    ...[...code.matchAll(dynamic)].map((match) => imported(file, match[1]!, false)),
  ];
}

function imported(file: string, specifier: string, typeOnly: boolean): Import {
  const isRelative = specifier.startsWith(".");
  return { specifier, typeOnly, target: isRelative ? withoutExtension(join(dirname(file), specifier)) : null };
}

/** The names of the classes, functions and constants that a file exports; types are not among them. */
export function exportsOf(file: string): string[] {
  const declaration = /^export\s+(?:default\s+)?(?:abstract\s+|async\s+)*(?:class|function|const|let|enum)\s+(\w+)/gm;
  return [...withoutComments(textOf(file)).matchAll(declaration)].map((match) => match[1]!);
}

export const withoutExtension = (file: string): string => file.replace(/(\.d)?\.[tj]s$/, "");

/** Strings are kept: they are matched first, so that a `//` inside one is no comment. */
export function withoutComments(code: string): string {
  const token = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return code.replace(token, (_, text?: string) => text ?? "");
}

/** Code alone, for rules about names: a message to a person may mention anything. */
export function withoutCommentsAndStrings(code: string): string {
  return withoutComments(code).replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g, '""');
}
