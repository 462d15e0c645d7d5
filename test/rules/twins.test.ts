// The two halves of an operation are twins: open them side by side and the same lines answer each other.

import { basename } from "node:path";
import { expect, test } from "vitest";
import { exportsOf, filesOf, textOf, withoutComments } from "./sources.ts";

const names = (folder: string): string[] => filesOf(folder).map((file) => basename(file, ".ts"));

const openingOf = (file: string): string => textOf(file).split("\n", 1)[0]!;

const guestNames = names("assembly/operation");
const hostNames = names("src/operation");
/** A half that is missing is the first test's failure, not that of every test. */
const twins = guestNames.filter((name) => hostNames.includes(name));

test("twins: every operation has a half on both sides", () => {
  const mends = [
    ...guestNames.filter((name) => !hostNames.includes(name)).map((name) => `add src/operation/${name}.ts`),
    ...hostNames.filter((name) => !guestNames.includes(name)).map((name) => `add assembly/operation/${name}.ts`),
  ];
  expect(mends.join("\n")).toBe("");
});

test.for(twins)("twins: the halves of %s open with the same line", (name) => {
  const opening = openingOf(`assembly/operation/${name}.ts`);
  expect(opening, "begin with a comment: what the operation does, in one sentence").toMatch(/^\/\/ \w.*[.:]/);
  expect(openingOf(`src/operation/${name}.ts`), "copy the first line of the guest's half").toBe(opening);
});

test.for(twins)("twins: the halves of %s name the same operations", (name) => {
  const guestFile = `assembly/operation/${name}.ts`;
  const guest = exportsOf(guestFile);
  const host = exportsOf(`src/operation/${name}.ts`);
  // Results and shorthands exist in the guest alone; what can be submitted exists in both.
  const submitted = [...withoutComments(textOf(guestFile)).matchAll(/^export class (\w+) extends Operation</gm)];
  const mends = [
    ...submitted
      .map((match) => match[1]!)
      .filter((operation) => !host.includes(operation))
      .map((operation) => `export ${operation} from src/operation/${name}.ts, as the guest's half does`),
    ...host
      .filter((operation) => !guest.includes(operation))
      .map(
        (operation) => `${operation} of src/operation/${name}.ts has no twin: export it from ${guestFile}, or nowhere`,
      ),
  ];
  expect(mends.join("\n")).toBe("");
});

test("twins: every operation has its test", () => {
  const tests = names("test/operation");
  const missing = guestNames.filter((name) => !tests.includes(`${name}.test`));
  expect(missing.map((name) => `add test/operation/${name}.test.ts`).join("\n")).toBe("");
});
