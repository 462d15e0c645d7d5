// Whatever one asks for help answers at once: in a copy in which nothing is built, and nothing is built afterwards.

import { exec } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { path, ROOT } from "../../scripts/paths.ts";

/** Those that npm calls by itself, and those that hand their arguments to a program of others. */
const OTHERS = /^(?:prepack|test|check|check:.*|format|deploy)$/;

const { scripts } = JSON.parse(readFileSync(path("package.json"), "utf8")) as { scripts: Record<string, string> };
const commands = Object.entries(scripts).filter(([name]) => !OTHERS.test(name));

const copy = mkdtempSync(join(tmpdir(), "help-"));

beforeAll(() => {
  // The last is what the compiler of the host in Rust makes.
  const leftOut = new Set([".git", "build", "dist", "node_modules", "target"]);
  cpSync(ROOT, copy, { recursive: true, filter: (file) => !leftOut.has(basename(relative(ROOT, file))) });
  symlinkSync(path("node_modules"), join(copy, "node_modules"));
});
afterAll(() => rmSync(copy, { recursive: true }));

test.for(commands)("help: npm run %s says how it is used, and builds nothing", async ([name, command]) => {
  const env = { ...process.env, PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter) };
  const { stdout } = await promisify(exec)(`${command} --help`, { cwd: copy, env });
  expect(stdout).toMatch(new RegExp(`^ {2}npm (?:run )?${name}\\b`, "m"));
  expect(["dist", "build/stamps.json"].filter((made) => existsSync(join(copy, made)))).toEqual([]);
});
