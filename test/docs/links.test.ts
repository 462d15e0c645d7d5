// Every link of the project's pages leads somewhere: to a file that exists, and to a heading that it has.

import { existsSync, globSync } from "node:fs";
import { join } from "node:path/posix";
import { expect, test } from "vitest";
import { ROOT, path } from "../../scripts/paths.ts";
import { Page, fragmentOf } from "./markdown.ts";

const pages = globSync(["*.md", "docs/**/*.md"], { cwd: ROOT }).toSorted();

test("links: there are pages to check", () => {
  expect(pages).toEqual(expect.arrayContaining(["README.md", "docs/contract.md"]));
});

test.for(pages)("links: those of %s lead somewhere", (file) => {
  const dead = new Page(file).links.filter((link) => !/^https?:/.test(link) && !leadsSomewhere(file, link));
  expect(dead).toEqual([]);
});

function leadsSomewhere(from: string, link: string): boolean {
  const [target, fragment] = link.split("#") as [string, string?];
  const file = target === "" ? from : join(from, "..", target);
  if (!existsSync(path(file))) return false;
  return fragment === undefined || new Page(file).headings.map(fragmentOf).includes(fragment);
}
