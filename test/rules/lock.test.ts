// A lock file must serve every platform and every registry, though it was written on one machine with one.

import { globSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ROOT } from "../../scripts/paths.ts";
import { textOf } from "./sources.ts";

interface Locked {
  version?: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  optionalDependencies?: Record<string, string>;
}

/** Where npm looks for a dependency: beside the package, then beside each folder above it. */
function isLocked(packages: Record<string, Locked>, name: string, at: string): boolean {
  for (let folder = at; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("node_modules/") - 1))) {
    if (packages[`${folder}${folder && "/"}node_modules/${name}`]) return true;
    if (folder === "") return false;
  }
}

const LOCKS = ["package-lock.json", ...globSync("bench/peers/*/package-lock.json", { cwd: ROOT }).toSorted()];

describe.for(LOCKS)("lock: %s", (file) => {
  const packages: Record<string, Locked> = JSON.parse(textOf(file)).packages;
  const manifest: Record<string, Record<string, string>> = JSON.parse(textOf(file.replace("-lock", "")));

  test("every optional dependency of a locked package is locked", () => {
    // npm leaves out, without a word, platform binaries that are not in the lock file: macOS and Windows would break.
    const missing = Object.entries(packages).flatMap(([at, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {})
        .filter((name) => !isLocked(packages, name, at))
        .map((name) => `${at} needs ${name}: delete node_modules and package-lock.json, then run npm install`),
    );
    expect(missing.join("\n")).toBe("");
  });

  test("no package names the host that it came from", () => {
    const named = Object.entries(packages).filter(([, { resolved, link }]) => resolved !== undefined && !link);
    expect(
      named.map(([at]) => `${at}: remove "resolved"; npm then asks the registry of whoever installs`).join("\n"),
    ).toBe("");
  });

  test("every package has its checksum", () => {
    const bare = Object.entries(packages).filter(([at, { integrity, link }]) => at !== "" && !integrity && !link);
    expect(bare.map(([at]) => `${at} has no integrity: run npm install again`).join("\n")).toBe("");
  });

  test("dependencies are pinned to one version", () => {
    const all = { ...manifest["dependencies"], ...manifest["devDependencies"] };
    const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
    expect(loose.map(([name, version]) => `${name}: ${version} is a range; write the version`).join("\n")).toBe("");
  });
});
