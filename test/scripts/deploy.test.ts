import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { path, ROOT } from "../../scripts/paths.ts";

test("deploy: a dry run bundles both Workers without an account", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [path("scripts/deploy.ts"), "--dry-run"], {
    cwd: ROOT,
    // Whatever account this machine knows must not matter.
    env: { PATH: process.env["PATH"], HOME: path("build/nobody") },
  });
  expect(stdout.match(/--dry-run: exiting now/g)).toHaveLength(2);
  expect(stdout).toMatch(/env\.CACHE .*KV Namespace/);
  expect(stdout).toMatch(/env\.UPSTREAM \(wasm-proactor-upstream\)/);
});
