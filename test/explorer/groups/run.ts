// Run: explores all plans of groups, in several threads, and prints what was found.

import { once } from "node:events";
import { availableParallelism } from "node:os";
import { styleText } from "node:util";
import { Worker } from "node:worker_threads";
import { GROUP_PROMISES } from "../promises.ts";
import type { GroupPromised } from "../promises.ts";
import { compileVariant } from "../variant.ts";
import type { GroupReport } from "./explore.ts";
import { GROUPS_GUEST, PLANS } from "./plans.ts";
import type { GroupJob } from "./worker.ts";

/** A guest that loops for ever calls nobody who could end it; from here it is ended. */
const SILENCE_MS = 300_000;

/** Explores the plans whose names contain `filter`. False if one of them breaks a promise. */
export async function runGroups(filter = ""): Promise<boolean> {
  const start = performance.now();
  const variant = await compileVariant([], GROUPS_GUEST);
  const waiting = PLANS.flatMap(({ name }, plan) => (name.includes(filter) ? [plan] : []));
  if (waiting.length === 0) throw new Error(`no plan of groups has "${filter}" in its name`);
  console.log(`\n  groups: ${waiting.length} plans, each to its end; ${variant.codeBytes} bytes of code`);
  const reports: GroupReport[] = [];
  const thread = async (): Promise<void> => {
    const worker = new Worker(new URL("worker.ts", import.meta.url));
    try {
      for (let plan = waiting.shift(); plan !== undefined; plan = waiting.shift()) {
        worker.postMessage({ variant, plan } satisfies GroupJob);
        const [report] = (await once(worker, "message", { signal: AbortSignal.timeout(SILENCE_MS) })) as [GroupReport];
        reports.push(report);
        console.log(describe(report));
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), waiting.length) }, thread));
  summarise(reports, (performance.now() - start) / 1000);
  return reports.every(({ violation }) => !violation);
}

function summarise(reports: readonly GroupReport[], seconds: number): void {
  const total = (count: (report: GroupReport) => number): number =>
    reports.reduce((sum, report) => sum + count(report), 0);
  console.log(`\n  ${"promise, of groups".padEnd(72)}${"checks".padStart(14)}`);
  for (const [name, text] of Object.entries(GROUP_PROMISES)) {
    const count = total(({ checks }) => checks[name as GroupPromised]);
    console.log(`  ${name.padEnd(5)}${text.padEnd(67)}${number(count).padStart(14)}`);
  }
  const [states, steps] = [total((report) => report.states), total((report) => report.transitions)];
  const depth = Math.max(...reports.map((report) => report.depth));
  console.log(
    `\n  ${number(states)} states of groups, ${number(steps)} steps tried, depth ${depth}, in ${seconds.toFixed(0)} s`,
  );
  for (const { name, violation } of reports) {
    if (!violation) continue;
    console.error(styleText("red", `\n  ${name}: ${violation.message}\n`));
    console.error(violation.script.map((line) => `    ${line}`).join("\n"));
  }
}

function describe({ name, states, transitions, depth, ends, violation }: GroupReport): string {
  const end = violation ? styleText("red", "violated") : styleText("green", "all there are");
  const found = `${number(states)} states (${number(ends)} ends), ${number(transitions)} steps tried`;
  return `  ${name.padEnd(44)} ${found}, depth ${depth} ${end}`;
}

const number = (value: number): string => value.toLocaleString("en");
