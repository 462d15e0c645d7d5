// Attempt: one mutant in a copy of the checkout, from its patch to what its tests say.

import { execFile } from "node:child_process";
import { copyFileSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ROOT, path } from "../../scripts/paths.ts";
import type { Patch } from "./patch.ts";

/** Nothing hangs longer than this. All the tests take a minute where nothing else runs, and several where much does. */
const ATTEMPT_MS_MAX = 600_000;

/** What a test that has failed looks like if it noticed something, and did not only stumble. */
const NOTICED = /^(?:AssertionError|SimulationError|Divergence|Error: Property failed)/;

export interface Verdict {
  patch: Patch;
  /** Whether a test noticed. */
  killed: boolean;
  /** The test that noticed; otherwise what is wrong with the mutant or with the tests. */
  because: string;
  ms: number;
}

/** One test, as vitest reports it. */
interface Result {
  file: string;
  title: string;
  failed: boolean;
  /** Why, if it failed. */
  reason: string;
}

/** Applies the patch in a copy, builds what the tests need, and runs them until one fails. */
export async function attempt(patch: Patch): Promise<Verdict> {
  const start = performance.now();
  const copy = mkdtempSync(join(tmpdir(), "wasm-proactor-mutant-"));
  try {
    await checkOut(copy);
    const outcome = await outcomeOf(patch, copy);
    return { patch, ...outcome, ms: performance.now() - start };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

type Outcome = Pick<Verdict, "killed" | "because">;

const survives = (because: string): Outcome => ({ killed: false, because });

async function outcomeOf(patch: Patch, copy: string): Promise<Outcome> {
  // Of what stands around the change only the nearest lines need be what they were.
  const applied = await run("git", ["apply", "-C1", path(patch.file)], copy);
  if (applied.failed) return survives(`the patch does not apply: ${applied.output}`);
  // Without a change in the guest's half its modules are the checkout's own; otherwise only those exist that are needed.
  if (!patch.changes.some((file) => file.startsWith("assembly/"))) symlinkSync(path("build"), join(copy, "build"));
  else {
    const guests = patch.tests.flatMap(guestsOf).flatMap((entry) => ["--guest", entry]);
    const built = await run(process.execPath, ["scripts/build.ts", "--quiet", ...guests], copy);
    if (built.failed) return survives(`the patched guest does not compile: ${built.output}`);
  }
  const results = await runTests(patch.tests, copy, ["--bail", "1"]);
  if (!results) return survives(`the tests did not end within ${ATTEMPT_MS_MAX / 1000} s`);
  const failed = results.find((result) => result.failed);
  if (!failed) return survives("no test noticed");
  if (NOTICED.test(failed.reason)) return { killed: true, because: `${basename(failed.file)}: ${failed.title}` };
  return survives(`"${failed.title}" fails, but not by an assertion: ${failed.reason.split("\n")[0]}`);
}

/** The guests that a file of tests uses: by custom they have the name of the file, or of its folder. */
function guestsOf(test: string): string[] {
  const folder = basename(dirname(test));
  const names = [basename(test, ".test.ts"), folder];
  const own = globSync(`${folder}/guest/*.ts`, { cwd: ROOT });
  return [...own, ...names.map((name) => `test/guest/${name}.ts`)].filter((entry) => existsSync(path(entry)));
}

/** A copy of what git knows of, or would. */
async function checkOut(copy: string): Promise<void> {
  const listed = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT);
  for (const file of listed.output.split("\0")) {
    if (file === "" || !existsSync(path(file))) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    copyFileSync(path(file), join(copy, file));
  }
  for (const folder of ["node_modules", "dist"]) symlinkSync(path(folder), join(copy, folder));
}

/** What these files of tests say in this checkout; undefined if they do not end. */
export async function runTests(files: string[], root: string, argv: string[] = []): Promise<Result[] | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "wasm-proactor-results-"));
  const report = join(folder, "results.json");
  try {
    const config = ["--config", "test/mutants/vitest.config.ts", "--maxWorkers", "1"];
    const reporting = ["--reporter", "json", "--outputFile", report];
    const vitest = path("node_modules/vitest/vitest.mjs");
    await run(process.execPath, [vitest, "run", ...config, ...reporting, ...argv, ...files], root);
    return existsSync(report) ? resultsOf(readFileSync(report, "utf8"), root) : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Report {
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { title: string; status: string; failureMessages: string[] }[];
  }[];
}

function resultsOf(json: string, root: string): Result[] {
  return (JSON.parse(json) as Report).testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = name.slice(root.length).replace(/^\//, "");
    const results = assertionResults.map(({ title, status, failureMessages }): Result => ({
      file,
      title,
      failed: status === "failed",
      reason: failureMessages.join("\n"),
    }));
    const hasFailed = results.some(({ failed }) => failed);
    // Not one of its tests, but the file itself, or what it prepares.
    if (status === "failed" && !hasFailed) results.push({ file, title: file, failed: true, reason: message });
    return results;
  });
}

/** Runs a program to its end, or until it has had its time. */
function run(program: string, argv: string[], cwd: string): Promise<{ failed: boolean; output: string }> {
  return new Promise((resolve) => {
    const options = { cwd, timeout: ATTEMPT_MS_MAX, killSignal: "SIGKILL", maxBuffer: 1 << 26 } as const;
    execFile(program, argv, options, (error, stdout, stderr) =>
      resolve({ failed: error !== null, output: `${stdout}${stderr}`.trim() }),
    );
  });
}
