// Every link of the project's pages leads somewhere: to a file that exists, and to a heading that it has. From a page that
// is published, it must be a file that is published too; only the examples' pages are not.

import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path/posix";
import { expect, test } from "vitest";
import { ROOT, path } from "../../scripts/paths.ts";
import { Page, fragmentOf } from "./markdown.ts";

const pages = globSync(["*.md", "docs/**/*.md", "examples/**/*.md"], { cwd: ROOT }).toSorted();

test("links: there are pages to check", () => {
  expect(pages).toEqual(expect.arrayContaining(["README.md", "docs/contract.md"]));
});

test.for(pages)("links: those of %s lead somewhere", (file) => {
  const dead = new Page(file).links.filter((link) => !/^https?:/.test(link) && !leadsSomewhere(file, link));
  expect(dead).toEqual([]);
});

/** What npm takes along, in any case or because the manifest says so. */
const published = [
  "README.md",
  "LICENSE",
  "package.json",
  ...(JSON.parse(readFileSync(path("package.json"), "utf8")) as { files: string[] }).files,
];

const isPublished = (file: string): boolean => published.some((part) => `${file}/`.startsWith(`${part}/`));

function leadsSomewhere(from: string, link: string): boolean {
  const [target, fragment] = link.split("#") as [string, string?];
  const file = target === "" ? from : join(from, "..", target);
  if (!existsSync(path(file)) || (isPublished(from) && !isPublished(file))) return false;
  return fragment === undefined || new Page(file).headings.map(fragmentOf).includes(fragment);
}
