// `npm run mutants`: breaks each promise on purpose, in a copy, and requires that a test notices.

import { parseArgs, styleText } from "node:util";
import { ROOT } from "../../scripts/paths.ts";
import { attempt, runTests } from "./attempt.ts";
import type { Verdict } from "./attempt.ts";
import { readPatches, rowOf } from "./patch.ts";
import type { Patch } from "./patch.ts";

const HELP = `Applies each patch of test/mutants/ in a copy of the checkout. The tests that it names must fail by an assertion.

  npm run mutants -- [--filter text] [--list]

  --filter   those alone whose name, sentence, tests or files have this text in them, such as G5- or src/memory.ts
  --list     what there is, as docs/guarantees.md has it; runs nothing
  --help     this

Fails if a mutant survives, if its patch no longer applies or does not compile, and if its tests fail without it too.
`;

/** Mutants at the same time. Each has a compiler and a test runner of its own. */
const AT_ONCE = 2;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      filter: { type: "string", default: "" },
      list: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const patches = readPatches().filter(({ name, what, tests, changes }) =>
    [name, what, ...tests, ...changes].some((text) => text.includes(values.filter)),
  );
  if (patches.length === 0) throw new Error(`no mutant has "${values.filter}" in its name, sentence, tests or files`);
  if (values.list) return list(patches);
  const start = performance.now();
  await checkTests(patches);
  const verdicts = await attemptAll(patches);
  summarize(verdicts, performance.now() - start);
}

/** As docs/guarantees.md has it. */
function list(patches: Patch[]): void {
  const rows = [["mutant", "what it does", "noticed by"], ["---", "---", "---"], ...patches.map(rowOf)];
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
}

/** The tests must pass as long as nothing is broken; otherwise their failing says nothing. */
async function checkTests(patches: Patch[]): Promise<void> {
  const files = [...new Set(patches.flatMap(({ tests }) => tests))].toSorted();
  const start = performance.now();
  const results = await runTests(files, ROOT);
  if (!results) throw new Error("the tests do not end, without any mutant");
  const failed = results.filter((result) => result.failed).map(({ title, reason }) => `${title}: ${reason}`);
  const missing = files.filter((file) => !results.some((result) => result.file === file));
  if (missing.length > 0) failed.push(`there are no tests in ${missing.join(", ")}`);
  if (failed.length > 0) throw new Error(`without any mutant:\n${failed.join("\n")}`);
  console.log(`  ${files.length} files of tests pass without a mutant, ${seconds(performance.now() - start)}`);
}

async function attemptAll(patches: Patch[]): Promise<Verdict[]> {
  const waiting = [...patches];
  const verdicts: Verdict[] = [];
  const work = async (): Promise<void> => {
    for (let patch = waiting.shift(); patch; patch = waiting.shift()) {
      const verdict = await attempt(patch);
      verdicts.push(verdict);
      const count = `${verdicts.length}/${patches.length}`.padStart(7);
      console.log(`${count}  ${word(verdict)} ${patch.name} ${styleText("dim", seconds(verdict.ms))}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return patches.map((patch) => verdicts.find((verdict) => verdict.patch === patch)!);
}

function summarize(verdicts: Verdict[], ms: number): void {
  const width = Math.max(...verdicts.map(({ patch }) => patch.name.length));
  console.log("");
  for (const verdict of verdicts)
    console.log(`  ${word(verdict)} ${verdict.patch.name.padEnd(width)}  ${verdict.because}`);
  const survivors = verdicts.filter(({ killed }) => !killed);
  const promises = new Set(verdicts.map(({ patch }) => patch.promise)).size;
  console.log(`\n${verdicts.length} mutants of ${promises} promises, ${survivors.length} not killed, ${seconds(ms)}`);
  if (survivors.length === 0) return;
  console.error(survivors.map(({ patch }) => `  npm run mutants -- --filter ${patch.name}`).join("\n"));
  process.exitCode = 1;
}

const word = ({ killed }: Verdict): string => (killed ? styleText("green", "killed  ") : styleText("red", "SURVIVES"));

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
