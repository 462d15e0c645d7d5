// `npm run bench`: measures, prints a table and writes bench/results.json. docs/benchmarks.md explains the numbers.

import { writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs, styleText } from "node:util";
import { measureSizes } from "../scripts/size.ts";
import { path } from "../scripts/paths.ts";
import { progress } from "../scripts/terminal.ts";
import { compare } from "./compare.ts";
import type { Cell, Row, Spread } from "./compare.ts";
import { composeCells } from "./compose.ts";
import { measureFeatures } from "./features.ts";
import { freshCells } from "./fresh.ts";
import { CONNECTIONS } from "./load.ts";
import { httpCells } from "./http.ts";
import { noopCells } from "./noop.ts";
import { workerdVersion } from "./workerd.ts";

const RESULTS = path("bench/results.json");

const HELP = `Measures what the guest costs: against plain JavaScript where there is something to compare with.

  npm run bench -- [--quick] [--filter text]

  --quick    few and short rounds: a look, not a result
  --filter   only cells whose name contains this text: http, "http workerd /kv", noop, compose, fiber, fresh, bytes

Writes bench/results.json. Takes about ten minutes, --quick one; let the machine do nothing else meanwhile.
`;

/** Rounds, seconds of load in each, operations and instances in each. */
const FULL = { rounds: 15, seconds: 2, operations: 200_000, instances: 200 };
const QUICK = { rounds: 3, seconds: 1, operations: 50_000, instances: 50 };

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      filter: { type: "string", default: "" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const { rounds, seconds, operations, instances } = values.quick ? QUICK : FULL;
  const cells = [
    ...httpCells(seconds),
    ...noopCells(operations),
    ...composeCells(operations),
    ...freshCells(instances),
  ];
  const chosen = cells.filter(({ name }) => name.includes(values.filter));
  const wantsBytes = "bytes".includes(values.filter);
  if (chosen.length === 0 && !wantsBytes) throw new Error(`no cell's name contains "${values.filter}"`);

  const machine = describeMachine();
  console.log(
    Object.entries(machine)
      .map(([name, value]) => `  ${name.padEnd(12)}${value}`)
      .join("\n"),
  );
  const rows: Row[] = [];
  for (const { name, open } of chosen) {
    const measured = await measure(name, await open(), rounds);
    rows.push(...measured);
    measured.forEach(print);
  }
  const bytes = wantsBytes ? await measureSizes() : [];
  for (const { what, raw, gzip } of bytes)
    console.log(`  ${what.padEnd(40)}${number(raw)} bytes, gzip ${number(gzip)}`);
  const features = wantsBytes ? await measureFeatures() : [];
  for (const { feature, raw, gzip } of features)
    console.log(`  ${`a guest with ${feature}`.padEnd(40)}${number(raw)} bytes, gzip ${number(gzip)}`);
  writeFileSync(
    RESULTS,
    JSON.stringify({ machine, quick: values.quick, rounds, seconds, rows, bytes, features }, null, 2),
  );
  console.log(`\n  written to ${RESULTS}`);
}

async function measure(name: string, cell: Cell, rounds: number): Promise<Row[]> {
  try {
    return await compare(cell, rounds, (round) =>
      progress(`  ${name}, ${round === 0 ? "warm-up" : `${round} of ${rounds}`}`),
    );
  } finally {
    progress("");
    await cell.stop?.();
  }
}

function describeMachine(): Record<string, string> {
  const [load] = loadavg();
  return {
    machine: `${availableParallelism()} cores, ${cpus()[0]?.model ?? "unknown"}, ${process.platform} ${process.arch}`,
    versions: `node ${process.versions.node}, ${workerdVersion()}`,
    load: `${load!.toFixed(2)} before the start; ${CONNECTIONS} connections; the load's process has its share of the cores`,
  };
}

// The terminal.

function print({ cell, variant, unit, value, ratio }: Row): void {
  const figure = `${number(value.median)} ${unit}`.padEnd(28);
  const spread = styleText("dim", `${number(value.low)} to ${number(value.high)}`.padEnd(20));
  console.log(`  ${cell.padEnd(26)}${variant.padEnd(14)}${figure}${spread}${ratio ? ratioText(ratio) : ""}`);
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
