// `npm run simulate`: many seeds, one after the other, each a run of the interpreter in a simulated world.

import { writeFileSync } from "node:fs";
import { parseArgs, styleText } from "node:util";
import { path } from "../scripts/paths.ts";
import { wholeNumber } from "../scripts/terminal.ts";
import { loadSimulator } from "./bundle.ts";
import type { Simulator } from "./bundle.ts";
import { compareEngines } from "./engines.ts";
import { PLANTED } from "./planted.ts";
import type { Planted } from "./planted.ts";

const HELP = `Runs a guest in simulated worlds: one seed decides its programs, and order, delays and faults.

  npm run simulate -- [--seeds 1000] [--from 1]
  npm run simulate -- --seed 42
  npm run simulate -- --engine bun [--seeds 1000] [--from 1]
  npm run simulate -- --planted

  --seeds    how many seeds
  --from     the first of them
  --seed     this seed alone, twice, with everything that happens in it
  --engine   the seeds in this Node and in another engine, given by its command; what both do must be the same
  --planted  plants bugs in a copy of the library, one by one; each must be found within 1,000 seeds
  --help     this

Fails, and prints the seeds with the commands that replay them, if a promise is broken.
`;

const PLANTED_SEEDS_MAX = 1000;
const FAILURES_MAX = 10;
const PROGRESS_MS = 200;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      engine: { type: "string" },
      planted: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  if (values.planted) return findPlanted();
  if (values.seed !== undefined) return runOne(wholeNumber("seed", values.seed));
  const from = wholeNumber("from", values.from);
  const count = wholeNumber("seeds", values.seeds, 1);
  if (values.engine !== undefined) return runInBoth(values.engine, from, count);
  await runMany(from, count);
}

// Many seeds.

async function runMany(from: number, count: number): Promise<void> {
  const { runSeed, interpreters } = await loadSimulator();
  const progress = new Progress(count);
  const failures: [seed: number, message: string][] = [];
  let operations = 0;
  let steps = 0;
  for (let seed = from; seed < from + count && failures.length < FAILURES_MAX; seed++) {
    try {
      const run = await runSeed(interpreters, seed);
      operations += run.counters.completed;
      steps += run.steps;
    } catch (error) {
      failures.push([seed, messageOf(error)]);
    }
    progress.show(seed - from + 1, failures.length);
  }
  progress.end();
  for (const [seed, message] of failures)
    console.error(`${styleText("red", message)}\n  npm run simulate -- --seed ${seed}`);
  if (failures.length > 0) process.exitCode = 1;
  else {
    const facts = `${steps.toLocaleString("en")} events, ${operations.toLocaleString("en")} operations`;
    console.log(
      `${count.toLocaleString("en")} seeds from ${from}: every promise was kept (${facts}, ${progress.rate} seeds/s)`,
    );
  }
}

class Progress {
  readonly #count: number;
  readonly #start = performance.now();
  #shown = 0;
  #done = 0;

  constructor(count: number) {
    this.#count = count;
  }

  get rate(): number {
    return Math.round((this.#done / (performance.now() - this.#start)) * 1000);
  }

  /** A line that is written over on a terminal; elsewhere a line for each tenth. */
  show(done: number, failed: number): void {
    this.#done = done;
    const now = performance.now();
    const percent = Math.floor((done / this.#count) * 100);
    const text = `${done.toLocaleString("en")} of ${this.#count.toLocaleString("en")} seeds, ${failed} failed, ${this.rate} seeds/s`;
    if (process.stderr.isTTY) {
      if (now - this.#shown < PROGRESS_MS && done < this.#count) return;
      this.#shown = now;
      process.stderr.write(`\r\x1b[K  ${text}`);
    } else if (percent >= this.#shown + 10) {
      this.#shown = percent;
      console.error(`  ${text}`);
    }
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  }
}

// One seed.

async function runOne(seed: number): Promise<void> {
  const { runSeed, interpreters } = await loadSimulator();
  try {
    const { hash } = await runSeed(interpreters, seed, { onTrace: console.log });
    const again = await runSeed(interpreters, seed);
    if (again.hash !== hash) throw new Error(`seed ${seed}: its second run has the hash ${again.hash}, not ${hash}`);
    console.log(`seed ${seed}: every promise was kept; the hash of both runs is ${hash}`);
  } catch (error) {
    console.error(styleText("red", messageOf(error)));
    process.exitCode = 1;
  }
}

// Two engines.

async function runInBoth(engine: string, from: number, count: number): Promise<void> {
  const [program = "", ...args] = engine.split(" ");
  const commands = [[process.execPath], [program, ...args]] as const;
  const { names, difference } = await compareEngines(commands, { from, count });
  const [name, other] = names;
  if (name === other) throw new Error(`"${engine}" is ${name} too: --engine takes another one`);
  if (!difference)
    return console.log(`${count.toLocaleString("en")} seeds from ${from}: ${name} and ${other} have done the same`);
  const { seed, traces } = difference;
  const files = names.map((name) => `build/simulate/seed-${seed}.${name.replace(" ", "-")}.txt`);
  for (const [index, trace] of traces.entries()) writeFileSync(path(files[index]!), trace);
  console.error(styleText("red", `seed ${seed}: ${name} and ${other} have not done the same`));
  console.error(`  diff ${files.join(" ")}`);
  process.exitCode = 1;
}

// Planted bugs.

async function findPlanted(): Promise<void> {
  for (const bug of PLANTED) {
    const found = await findBug(bug, await loadSimulator(bug));
    const name = `${bug.title} (${bug.file})`;
    if (found) console.log(`${styleText("green", "found")} ${name}\n      ${found}`);
    else console.error(`${styleText("red", "missed")} ${name}: ${PLANTED_SEEDS_MAX} seeds go well with it`);
    if (!found) process.exitCode = 1;
  }
}

/** What the first seed says that goes wrong. */
async function findBug(_bug: Planted, { runSeed, interpreters }: Simulator): Promise<string | undefined> {
  for (let seed = 1; seed <= PLANTED_SEEDS_MAX; seed++) {
    try {
      await runSeed(interpreters, seed);
    } catch (error) {
      return messageOf(error).split("\n")[0]!;
    }
  }
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
