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

/** Puts `after` in the place of one line of the queue that test/unit/fifo.test.ts is about. */
function attemptWith(before: string, after: string): Promise<Verdict> {
  const file = join(folder, "G10-a.patch");
  const diff = [
    "diff --git a/src/fifo.ts b/src/fifo.ts",
    "--- a/src/fifo.ts",
    "+++ b/src/fifo.ts",
    "@@ -30,3 +30,3 @@",
    "     const item = this.#first;",
    `-    ${before}`,
    `+    ${after}`,
    "     this.#first = item.next;",
  ];
  const text = ["what: something else", "test: test/unit/fifo.test.ts", "", ...diff, ""].join("\n");
  writeFileSync(file, text);
  return attempt(parsePatch(file, text));
}

const LINE = "if (!item) return undefined;";

test.for<[string, string, string, Partial<Verdict>]>([
  ["breaks the queue", LINE, "if (!item || item.next) return undefined;", { killed: true }],
  ["changes nothing", LINE, `${LINE} // Empty.`, { killed: false, because: "no test noticed" }],
  [
    "does not compile",
    LINE,
    "if (!item) return return;",
    { killed: false, because: expect.stringContaining("not by an assertion") },
  ],
  ["does not apply", "return;", LINE, { killed: false, because: expect.stringContaining("does not apply") }],
])("mutants: of a patch that %s", { timeout: 120_000 }, async ([, before, after, verdict]) => {
  expect(await attemptWith(before, after)).toMatchObject(verdict);
});

test("mutants: a patch says which promise it breaks, by its first lines or by its name", () => {
  const diff = "diff --git a/src/fifo.ts b/src/fifo.ts\n";
  expect(parsePatch("G3-b.patch", `promise: G4\nwhat: one\ntest: a b\n\n${diff}`)).toMatchObject({
    promise: "G4",
    what: "one",
    tests: ["a", "b"],
    changes: ["src/fifo.ts"],
  });
  expect(parsePatch("G3-b.patch", `two\n\n${diff}`)).toMatchObject({ promise: "G3", what: "two" });
  expect(() => parsePatch("b.patch", diff)).toThrow(/which promise/);
  expect(() => parsePatch("G3-b.patch", "what: nothing\n")).toThrow(/no diff/);
});
