// docs/testing.md must say what src/testing does. Its code is executed together with the README's.

import { expect, test } from "vitest";
import { FAULTS } from "../../src/testing/index.ts";
import { Page, codeIn } from "./markdown.ts";

const page = new Page("docs/testing.md");

test("testing: the page lists the faults that there are, in their order", () => {
  expect(page.table("fault", "what happens").map(([name]) => codeIn(name!))).toEqual(FAULTS);
});
