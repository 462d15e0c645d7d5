// `npm run mutants` must not take for killed what nobody has noticed.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { attempt } from "../mutants/attempt.ts";
import type { Verdict } from "../mutants/attempt.ts";
import { parsePatch } from "../mutants/patch.ts";

const folder = mkdtempSync(join(tmpdir(), "wasm-proactor-patch-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Puts `after` in the place of one line of the ring that test/unit/completion-ring.test.ts is about. */
function attemptWith(before: string, after: string): Promise<Verdict> {
  const file = join(folder, "G10-a.patch");
  const diff = [
    "diff --git a/src/completion-ring.ts b/src/completion-ring.ts",
    "--- a/src/completion-ring.ts",
    "+++ b/src/completion-ring.ts",
    "@@ -75,3 +75,3 @@",
    "     if (this.length === 0) this.#first = 0;",
    `-    ${before}`,
    `+    ${after}`,
    "     return count;",
  ];
  const text = ["what: something else", "test: test/unit/completion-ring.test.ts", "", ...diff, ""].join("\n");
  writeFileSync(file, text);
  return attempt(parsePatch(file, text));
}

const LINE = "this.demanded = false;";

test.for<[string, string, string, Partial<Verdict>]>([
  ["breaks the ring", LINE, "this.demanded = count > 0;", { killed: true }],
  ["changes nothing", LINE, `${LINE} // Nobody was asked.`, { killed: false, because: "no test noticed" }],
  [
    "does not compile",
    LINE,
    "this.demanded = return;",
    { killed: false, because: expect.stringContaining("not by an assertion") },
  ],
  ["does not apply", "this.demanded;", LINE, { killed: false, because: expect.stringContaining("does not apply") }],
])("mutants: of a patch that %s", { timeout: 600_000 }, async ([, before, after, verdict]) => {
  expect(await attemptWith(before, after)).toMatchObject(verdict);
});

test("mutants: a patch says which promise it breaks, by its first lines or by its name", () => {
  const diff = "diff --git a/src/completion-ring.ts b/src/completion-ring.ts\n";
  expect(parsePatch("G3-b.patch", `promise: G4\nwhat: one\ntest: a b\n\n${diff}`)).toMatchObject({
    promise: "G4",
    what: "one",
    tests: ["a", "b"],
    changes: ["src/completion-ring.ts"],
  });
  expect(parsePatch("G3-b.patch", `two\n\n${diff}`)).toMatchObject({ promise: "G3", what: "two" });
  expect(() => parsePatch("b.patch", diff)).toThrow(/which promise/);
  expect(() => parsePatch("G3-b.patch", "what: nothing\n")).toThrow(/no diff/);
});
