// The hostile modules: each .wat file of test/hostile/, put together with those parts of prelude.wat that it does not bring
// itself.

import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { path } from "./paths.ts";

export interface Hostile {
  name: string;
  does: string;
  /** A status; "500 trap" and the like; "any" of these; "never"; "refused": there is no instance. */
  outcome: string;
  /** What a healthy request is answered with; not 200 if the module accepts nothing, or has no other `run`. */
  healthy: string;
  /** The module, as text. */
  text: string;
}

const IMPORT = /^\(import .*$/gm;

export function readHostile(): Hostile[] {
  const parts = readFileSync(path("test/hostile/prelude.wat"), "utf8")
    .split(/^;; part: /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n"))] as const);
  return globSync("test/hostile/*.wat", { cwd: path("") })
    .filter((file) => basename(file) !== "prelude.wat")
    .toSorted()
    .map((file) => {
      const code = readFileSync(path(file), "utf8");
      const header = (name: string): string => new RegExp(`^;; ${name}: (.*)$`, "m").exec(code)?.[1] ?? "";
      const own = header("own").split(" ");
      const prelude = parts.filter(([name]) => !own.includes(name)).map(([, text]) => text);
      const whole = [...prelude, code].join("\n");
      // Imports come first in a module, whosever they are.
      const [imports, rest] = [whole.match(IMPORT) ?? [], whole.replace(IMPORT, "")];
      const text = `(module ${imports.join("\n")} ${rest})`;
      const [name, does, outcome] = [basename(file, ".wat"), code.slice(3, code.indexOf("\n")), header("outcome")];
      return { name, does, outcome, healthy: header("healthy") || "200", text };
    });
}
