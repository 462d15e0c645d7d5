// Results: what runs have shown, as JSON. A full run replaces in docs/performance.json the cells that it has measured and
// leaves the others; each cell names its run, so that nobody takes numbers of two days for numbers of one.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { path } from "../scripts/paths.ts";
import type { Samples } from "./compare.ts";

export const FULL_RESULTS = path("docs/performance.json");
export const QUICK_RESULTS = path("build/bench/quick.json");

/** One call of `npm run bench`. */
export interface Run {
  /** When it began, in ISO form: what cells name it by. */
  date: string;
  /** What was measured; ends in `+` if files had changed since. */
  commit: string;
  machine: string;
  versions: Record<string, string>;
  /** Of the order in which variants were measured. */
  seed: number;
  /** The machine's load before the start. */
  load: number;
}

export interface CellResult extends Samples {
  /** The date of its run. */
  run: string;
}

export interface Results {
  runs: Run[];
  /** By name. */
  cells: Record<string, CellResult>;
}

export function readResults(file: string): Results {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results) : { runs: [], cells: {} };
}

/** The newer cells in place of the older. Each run is named once; those of which no cell is left go. */
export function merge(older: Results, newer: Results): Results {
  const cells = { ...older.cells, ...newer.cells };
  const named = new Set(Object.values(cells).map(({ run }) => run));
  const runs = new Map([...older.runs, ...newer.runs].map((run) => [run.date, run]));
  return { runs: [...runs.values()].filter(({ date }) => named.has(date)), cells };
}

/**
 * Four digits are more than any sample is worth, unless it is a count. A list of samples stands on one line, and so does a
 * span of time.
 */
export function writeResults(file: string, results: Results): void {
  mkdirSync(dirname(file), { recursive: true });
  const text = JSON.stringify(results, rounded, 1);
  const joined = text.replaceAll(/\[[\d\s.,e+-]+\]|\{\s+"lane"[^}]+\}/g, (list) => list.replaceAll(/\s+/g, " "));
  writeFileSync(file, `${joined}\n`);
}

const rounded = (_key: string, value: unknown): unknown =>
  Array.isArray(value) && typeof value[0] === "number"
    ? value.map((sample) => (Number.isInteger(sample) ? sample : Number(sample.toPrecision(4))))
    : value;
