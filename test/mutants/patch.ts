// Patch: one file of this folder. It says which promise it breaks and how, which tests must notice, and what to change.
//
//   promise: G5
//   what: one sentence about what the patched library does
//   test: test/contract/rule-02-memory.test.ts
//
//   diff --git a/src/memory.ts b/src/memory.ts
//   …

import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { path } from "../../scripts/paths.ts";

export interface Patch {
  name: string;
  file: string;
  promise: string;
  what: string;
  /** Files of tests, at least one of which must fail. */
  tests: string[];
  /** The files that it changes. */
  changes: string[];
}

/** Who looks after each promise, for a patch that does not say who must notice it. */
const USUAL_TESTS: Record<string, string> = {
  G1: "test/contract/rule-01-inline.test.ts",
  G2: "test/contract/rule-01-inline.test.ts",
  G3: "test/contract/rule-03-exactly-once.test.ts",
  G4: "test/contract/rule-06-bounded.test.ts",
  G5: "test/contract/rule-02-memory.test.ts",
  G6: "test/contract/rule-06-bounded.test.ts",
  G7: "test/contract/rule-08-cancel.test.ts",
  G8: "test/contract/rule-08-cancel.test.ts",
  G9: "test/contract/contexts.test.ts",
  G10: "test/contract/rule-07-deadlines.test.ts",
  G11: "test/contract/contexts.test.ts",
  G12: "test/contract/rule-07-deadlines.test.ts",
  G13: "test/contract/shutdown.test.ts",
  G14: "test/conformance/face.test.ts",
  G15: "test/unit/simulate.test.ts",
  G19: "test/contract/contexts.test.ts",
  G20: "test/contract/rule-11-untrusted.test.ts",
  G21: "test/contract/rule-09-statuses.test.ts",
  G22: "test/contract/rule-12-least-privilege.test.ts",
};

/** All patches, in the order of their promises. */
export function readPatches(): Patch[] {
  return globSync("test/mutants/*.patch", { cwd: path("") })
    .map((file) => parsePatch(file, readFileSync(path(file), "utf8")))
    .toSorted((a, b) => numberOf(a) - numberOf(b) || (a.name < b.name ? -1 : 1));
}

/** The cells of its row in docs/guarantees.md. */
export function rowOf({ name, what, tests }: Patch): string[] {
  return [`\`${name}\``, what, tests.map((file) => `\`${file.replace(/^test\/|\.test\.ts$/g, "")}\``).join(" ")];
}

const numberOf = ({ promise }: Patch): number => Number(promise.slice(1));

/** Throws if it names no promise, or changes nothing. */
export function parsePatch(file: string, text: string): Patch {
  const name = basename(file, ".patch");
  const begin = text.search(/^diff --git /m);
  if (begin < 0) throw new Error(`${file} holds no diff`);
  const header = text.slice(0, begin);
  const field = (key: string): string | undefined => new RegExp(`^${key}: *(.+)$`, "m").exec(header)?.[1]?.trim();
  const promise = field("promise") ?? /^G\d+/.exec(name)?.[0];
  if (!promise) throw new Error(`${file} does not say which promise it breaks: begin with "promise: G1"`);
  const tests = field("test") ?? USUAL_TESTS[promise];
  if (!tests) throw new Error(`${file} does not say which tests must notice: add "test: test/…/….test.ts"`);
  const changes = [...text.matchAll(/^diff --git a\/(\S+)/gm)].map(([, changed]) => changed!);
  return {
    name,
    file,
    promise,
    what: field("what") ?? header.trim().replace(/^G\d+: /, ""),
    tests: tests.split(/[\s,]+/),
    changes,
  };
}
