// `npm run explore`: explores the guest library's compiled code and prints what was found.

import { once } from "node:events";
import { availableParallelism } from "node:os";
import { parseArgs, styleText } from "node:util";
import { Worker } from "node:worker_threads";
import type { ExploreOptions, Report } from "./explorer.ts";
import { runGroups } from "./groups/run.ts";
import { PROMISES } from "./promises.ts";
import type { Promised } from "./promises.ts";
import { compileVariant } from "./variant.ts";
import type { Variant } from "./variant.ts";
import type { Job, Progress } from "./worker.ts";

const HELP = `Tries everything that a host and handlers can do, from every state, against the compiled guest library.

  npm run explore -- [--capacity n] [--actions n] [--fresh] [--depth n] [--states n] [--seconds n]
  npm run explore -- --groups [name]

Without options: the explorations that CI runs, the same states every time. With options: one exploration.

  --capacity  operations in flight that the host admits besides the accept, 1 to 3
  --actions   what the handlers of one turn do together, at most; 1 if it is not given
  --fresh     a new handler for each operation, held by nothing but the library, with garbage collected all the time
  --depth     ends after so many steps from the start
  --states    ends after so many distinct states
  --seconds   ends after so much time, wherever it is
  --groups    groups of operations alone, each to its end; those with this in their name

A violation is printed with a shortest script that leads to it, and the exit code is 1. docs/guarantees.md says more.
`;

type Plan = Omit<Job, "variant">;

const base = { fresh: false, actions: 1, depth: Infinity, states: Infinity, seconds: Infinity };

/** What CI runs. The first one comes to its end: there are no other states, however long the script. */
const PLANS: Plan[] = [
  { ...base, capacity: 3, states: 400_000 },
  { ...base, capacity: 2, states: 400_000 },
  { ...base, capacity: 1, actions: 2, states: 200_000 },
  { ...base, capacity: 1 },
  { ...base, capacity: 2, fresh: true, states: 50_000 },
];

/** A guest that loops for ever calls nobody who could end it; from here it is ended. */
const SILENCE_MS = 120_000;

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args[0] === "--groups") return judge(await runGroups(args[1]));
  const plans = plansOf(args);
  if (!plans) return console.log(HELP);
  const start = performance.now();
  const variant = await compileVariant();
  console.log(`  ${variant.codeBytes} bytes of code, ${variant.globals.length} variables; as released but for exports`);
  const reports = await exploreAll(variant, plans);
  const total = (count: (report: Report) => number): number => reports.reduce((sum, report) => sum + count(report), 0);
  console.log(`\n  ${"promise".padEnd(72)}${"checks".padStart(14)}`);
  for (const [name, text] of Object.entries(PROMISES)) {
    const count = total(({ checks }) => checks[name as Promised]);
    console.log(`  ${name.padEnd(5)}${text.padEnd(67)}${number(count).padStart(14)}`);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`\n  ${number(total(({ states }) => states))} states in ${seconds} s`);
  for (const { violation } of reports) {
    if (!violation) continue;
    console.error(styleText("red", `\n  ${violation.message}\n`));
    console.error(violation.script.map((line) => `    ${line}`).join("\n"));
    process.exitCode = 1;
  }
  if (plans === PLANS) judge(await runGroups());
}

function judge(holds: boolean): void {
  if (!holds) process.exitCode = 1;
}

/** None if help was asked for. */
function plansOf(args: string[]): Plan[] | undefined {
  const { values } = parseArgs({
    args,
    options: {
      capacity: { type: "string" },
      actions: { type: "string" },
      depth: { type: "string" },
      states: { type: "string" },
      seconds: { type: "string" },
      fresh: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  if (Object.keys(values).length === 0) return PLANS;
  const count = (name: "capacity" | "actions" | "depth" | "states" | "seconds", otherwise: number): number => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (!(value > 0)) throw new Error(`--${name} takes a number above 0, not ${values[name]}`);
    return value;
  };
  const capacity = count("capacity", 2);
  if (![1, 2, 3].includes(capacity)) throw new Error("--capacity takes 1, 2 or 3");
  const [actions, depth] = [count("actions", 1), count("depth", Infinity)];
  const [states, seconds] = [count("states", Infinity), count("seconds", Infinity)];
  return [{ capacity, actions, depth, states, seconds, fresh: values.fresh ?? false }];
}

/** Several at once, each in a thread of its own: what one finds depends on no other. */
async function exploreAll(variant: Variant, plans: Plan[]): Promise<Report[]> {
  const reports: Report[] = [];
  const running = new Map<Plan, Report>();
  const waiting = [...plans];
  const next = async (): Promise<void> => {
    for (let plan = waiting.shift(); plan; plan = waiting.shift()) {
      const report = await exploreOne(variant, plan, (progress) => {
        running.set(plan!, progress);
        show([...running.values()]);
      });
      running.delete(plan);
      show([]);
      console.log(describe(plan, report));
      reports.push(report);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), plans.length) }, next));
  return reports;
}

async function exploreOne(variant: Variant, plan: Plan, tell: (report: Report) => void): Promise<Report> {
  const worker = new Worker(new URL("worker.ts", import.meta.url));
  try {
    worker.postMessage({ ...plan, variant } satisfies Job);
    for (;;) {
      const [{ report, isOver }] = (await once(worker, "message", { signal: AbortSignal.timeout(SILENCE_MS) })) as [
        Progress,
      ];
      if (isOver) return report;
      tell(report);
    }
  } catch (error) {
    if ((error as Error).name !== "AbortError") throw error;
    throw new Error(`capacity ${plan.capacity}: a turn does not come to an end`, { cause: error });
  } finally {
    await worker.terminate();
  }
}

function describe({ capacity, actions, fresh }: ExploreOptions, report: Report): string {
  const what = `capacity ${capacity}, ${actions} action${actions > 1 ? "s" : ""} a turn${fresh ? ", fresh" : ""}`;
  const { states, guests, transitions, depth, complete, violation } = report;
  const end = violation ? styleText("red", "violated") : complete ? styleText("green", "all there are") : "";
  const found = `${number(states)} states (${number(guests)} of the guest), ${number(transitions)} steps tried`;
  return `  ${what.padEnd(34)} ${found}, depth ${depth} ${end}`;
}

function show(reports: Report[]): void {
  if (!process.stdout.isTTY) return;
  const line = reports
    .map(({ capacity, states, depth }) => `capacity ${capacity}: ${number(states)} states, depth ${depth}`)
    .join("; ");
  process.stdout.write(`\r\u001B[K${line && `  ${line}`}`);
}

const number = (value: number): string => value.toLocaleString("en");

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
