// Every link of the project's pages leads somewhere: to a file that exists, and to a heading that it has. All pages are
// published, so it must be a file that is published too.

import { existsSync, globSync, readFileSync } from "node:fs";
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

/** What npm takes along, in any case or because the manifest says so. */
const published = [
  "README.md",
  "LICENSE",
  "package.json",
  ...(JSON.parse(readFileSync(path("package.json"), "utf8")) as { files: string[] }).files,
];

function leadsSomewhere(from: string, link: string): boolean {
  const [target, fragment] = link.split("#") as [string, string?];
  const file = target === "" ? from : join(from, "..", target);
  if (!existsSync(path(file)) || !published.some((part) => `${file}/`.startsWith(`${part}/`))) return false;
  return fragment === undefined || new Page(file).headings.map(fragmentOf).includes(fragment);
}
