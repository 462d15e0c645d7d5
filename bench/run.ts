// `npm run bench`: measures, prints a table and writes results. docs/performance.md explains the numbers.

import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs, styleText } from "node:util";
import { ROOT } from "../scripts/paths.ts";
import { progress, wholeNumber } from "../scripts/terminal.ts";
import { Unavailable, compare, seeded } from "./compare.ts";
import type { CellSource, Samples } from "./compare.ts";
import { CLAIMS, beyondGuards, cellsOf, evaluate, guardedVariants, limitText } from "./goals.ts";
import { FULL_RESULTS, QUICK_RESULTS, merge, readResults, writeResults } from "./results.ts";
import type { Results, Run } from "./results.ts";
import { ratioOf, spreadOf } from "./statistics.ts";
import type { Spread } from "./statistics.ts";
import { workerdVersion } from "./workerd.ts";

const HELP = `Measures this package beside what one would otherwise use.

  npm run bench -- [--quick [--guard]] [--filter text…] [--list] [--seed n]

  --quick    few and short rounds: a look, not a result
  --guard    measures only what has a guard, a ratio so far from what is usual that something must be broken, and fails
             if one is beyond it, and is so once more when its cell is measured alone
  --filter   only cells whose name contains this text, such as noop/node or /workerd/; may be given again
  --list     names the cells, and measures nothing
  --seed     of the order in which variants are measured

Merges what it has measured into docs/performance.json, a quick run writes build/bench/quick.json instead. Let the machine
do nothing else meanwhile.
`;

/** As many as a median needs, and as few as a look. */
const ROUNDS = { full: 15, quick: 3 };

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      guard: { type: "boolean", default: false },
      filter: { type: "string", multiple: true, default: [""] },
      list: { type: "boolean", default: false },
      seed: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  // Not before: they import the package as it is built, which who asks for help may not have.
  const { allCells } = await import("./cells.ts");
  const known = values.guard ? guarded(allCells(values.quick)) : allCells(values.quick);
  const cells = known.filter(({ name }) => values.filter.some((text) => name.includes(text)));
  if (cells.length === 0) throw new Error(`no cell's name contains ${values.filter.join(" or ")}`);
  if (values.list) return await list(cells);

  const run = describeRun(values.seed === undefined ? Date.now() % 1e6 : wholeNumber("seed", values.seed));
  console.log(describe(run));
  const results: Results = { runs: [run], cells: {} };
  const rounds = values.quick ? ROUNDS.quick : ROUNDS.full;
  const random = seeded(run.seed);
  const file = values.quick ? QUICK_RESULTS : FULL_RESULTS;
  const measureInto = async (source: CellSource, count: string): Promise<void> => {
    const samples = await measure(source, rounds, random, `${count} ${source.name}`);
    results.cells[source.name] = { run: run.date, ...samples };
    print(source.name, samples);
    // At once: what a long run has measured outlasts its end.
    writeResults(file, values.quick ? results : merge(readResults(file), results));
  };
  for (const [index, source] of cells.entries()) await measureInto(source, `${index + 1}/${cells.length}`);
  if (values.guard) {
    const suspicious = new Set(beyondGuards(results).flatMap(({ claim }) => cellsOf(claim)));
    for (const source of cells.filter(({ name }) => suspicious.has(name))) await measureInto(source, "once more:");
    guard(results);
  }
  console.log(`\n  written to ${file}`);
}

async function measure(source: CellSource, rounds: number, random: () => number, title: string): Promise<Samples> {
  try {
    return await compare(await source.open(), {
      rounds,
      random,
      progress: (round) => progress(`  ${title}, ${round === 0 ? "warm-up" : `round ${round} of ${rounds}`}`),
      failed(variant, error) {
        progress("");
        // Something that is not there is no failure; a wrong result is one.
        if (!(error instanceof Unavailable)) process.exitCode = 1;
        console.error(`  ${source.name}: ${variant} not run: ${error.message}`);
      },
    });
  } finally {
    progress("");
  }
}

/** The cells that have guards, and of these what the guards compare. */
function guarded(cells: CellSource[]): CellSource[] {
  return cells
    .map(({ name, open }) => ({ name, open, compared: guardedVariants(name) }))
    .filter(({ compared }) => compared.size > 0)
    .map(({ name, open, compared }) => ({
      name,
      async open() {
        const cell = await open();
        return { ...cell, variants: cell.variants.filter((variant) => compared.has(variant.name)) };
      },
    }));
}

/** Fails for every guard that is broken, and for every one that should have been looked at and was not. */
function guard(results: Results): void {
  const broken = beyondGuards(results).map(
    ({ claim, spread }) => `${claim.says}: ${spread.median.toFixed(2)}, the guard is ${limitText(claim.guard!, claim)}`,
  );
  const unseen = CLAIMS.filter(({ guard, cell }) => guard && cell in results.cells).filter(
    (claim) => !evaluate(claim, results),
  );
  for (const line of [...broken, ...unseen.map(({ says }) => `${says}: not measured`)]) {
    console.error(styleText("red", `  ${line}`));
    process.exitCode = 1;
  }
}

async function list(cells: CellSource[]): Promise<void> {
  const { leftOut } = await import("./workloads.ts");
  for (const { name } of cells) console.log(name);
  for (const [cell, reason] of Object.entries(leftOut())) console.log(`${cell}: not measured, ${reason}`);
}

// What is measured, and on what.

function describeRun(seed: number): Run {
  const [load] = loadavg();
  return {
    date: new Date().toISOString(),
    commit: git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain") ? "+" : ""),
    machine: `${availableParallelism()} cores, ${cpus()[0]?.model ?? "unknown"}, ${process.platform} ${process.arch}`,
    versions: { node: process.versions.node, v8: process.versions.v8, workerd: workerdVersion() },
    seed,
    load: load!,
  };
}

/** Empty where there is no repository. */
function git(...argv: string[]): string {
  try {
    return execFileSync("git", argv, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}

// The terminal.

function describe({ commit, machine, versions, seed, load }: Run): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const lines = { machine, versions: named.join(", "), commit, seed, load: `${load.toFixed(2)} before the start` };
  return Object.entries(lines)
    .map(([name, value]) => `  ${name.padEnd(12)}${value}`)
    .join("\n");
}

function print(cell: string, { metrics, variants }: Samples): void {
  const baseline = Object.values(variants)[0];
  for (const [name, { unit, better }] of Object.entries(metrics)) {
    for (const [variant, columns] of Object.entries(variants)) {
      const values = columns[name];
      if (!values) continue;
      const { median, low, high } = spreadOf(values);
      const figure = `${number(median)} ${unit}`.padEnd(28);
      const spread = styleText("dim", `${number(low)} to ${number(high)}`.padEnd(20));
      const base = baseline![name];
      // Of nothing there is no multiple.
      const ratio =
        base && base !== values && [...base, ...values].every(Boolean) ? ratioText(ratioOf(values, base, better)) : "";
      console.log(`  ${cell.padEnd(28)}${variant.padEnd(18)}${figure}${spread}${ratio}`);
    }
  }
}

function ratioText({ median, low, high }: Spread): string {
  const text = `× ${median.toFixed(2)}`;
  return `${styleText(median >= 0.95 ? "green" : "yellow", text)} ${styleText("dim", `${low.toFixed(2)} to ${high.toFixed(2)}`)}`;
}

function number(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 1 : 0 });
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
