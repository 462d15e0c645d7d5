// Cases: the files of conformance/cases, each a list of cases about one rule.

import { existsSync, globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { path } from "../scripts/paths.ts";
import type { Case } from "./protocol.ts";

export interface Suite {
  /** The file's name, such as rule-07-deadlines. */
  name: string;
  file: string;
  cases: Case[];
}

/** Those whose name begins so, or the one that has just this name. */
export function readCases(prefix = ""): Suite[] {
  const files = globSync(`conformance/cases/${prefix}*.json`, { cwd: path("") });
  const exact = files.filter((file) => basename(file, ".json") === prefix);
  return (exact.length > 0 ? exact : files).toSorted().map((file) => ({
    name: basename(file, ".json"),
    file: path(file),
    cases: JSON.parse(readFileSync(path(file), "utf8")) as Case[],
  }));
}

/** Whether the module of every case was built. The guest in C is where clang is. */
export function isBuilt({ cases }: Suite): boolean {
  return cases.every(({ steps }) =>
    steps.every(({ do: command }) => command.do !== "start" || existsSync(path(command.module))),
  );
}
