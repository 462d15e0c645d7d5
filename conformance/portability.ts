// Portability: what passed on which host, as README.md and docs/embedding.md show it. The tables are made from
// docs/portability.json, which this makes from what the two suites and the bench have written.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { path } from "../scripts/paths.ts";
import { readHosts } from "./hosts.ts";

const HELP = `Writes the tables of hosts into README.md and docs/embedding.md.

  npm run conformance -- --host all --json build/conformance.json
  npm run conformance:http -- --host all --json build/http.json
  npm run bench:hosts -- --json build/hosts.json
  npm run portability

Without one of the three files, what docs/portability.json had of it stays.
`;

const RESULTS = "docs/portability.json";

interface Suite {
  passed: number;
  failed: number;
  skipped?: number;
  hash?: string;
}

/**
 * Requests per second, p99 in ms and processor time of each request in µs, of the host and of the same language's plain
 * handler. Where the system does not tell the last, it is left out.
 */
export interface Speed {
  perSecond: number;
  p99: number;
  cpu?: number;
  plainPerSecond: number;
  plainP99: number;
  plainCpu?: number;
}

interface HostResult {
  version?: string;
  engine?: string;
  conformance?: Suite;
  http?: Suite;
  speed?: Record<string, Speed>;
  /** Microseconds. */
  startUp?: number;
}

type Results = Record<string, HostResult>;

/** The tables by the names that they have in the pages. */
export function tables(results: Results): Record<string, string> {
  // In the order of hosts.json.
  const hosts = readHosts("all").flatMap(({ name }) => (results[name] ? [[name, results[name]] as const] : []));
  return {
    short: table(
      ["host", "engine", "conformance", "HTTP suite"],
      hosts.map(([name, { engine, conformance, http }]) => [name, engine ?? "", cell(conformance), cell(http)]),
    ),
    details: table(
      ["host", "version", "engine", "conformance", "hash of all traces", "HTTP suite"],
      hosts.map(([name, { version, engine, conformance, http }]) => [
        name,
        version ?? "",
        engine ?? "",
        cell(conformance),
        conformance?.hash ? `\`${conformance.hash.slice(0, 12)}\`` : "",
        cell(http),
      ]),
    ),
    speed: table(
      ["host", "route", "requests/s", "plain", "ratio", "p99, ms", "plain", "processor, µs", "plain", "ratio"],
      hosts.flatMap(([name, { speed = {} }]) =>
        Object.entries(speed).map(([route, { perSecond, p99, cpu, plainPerSecond, plainP99, plainCpu }]) => [
          name,
          route,
          number(perSecond),
          number(plainPerSecond),
          `× ${(perSecond / plainPerSecond).toFixed(2)}`,
          p99.toFixed(1),
          plainP99.toFixed(1),
          told(cpu),
          told(plainCpu),
          cpu && plainCpu ? `× ${(plainCpu / cpu).toFixed(2)}` : "–",
        ]),
      ),
    ),
  };
}

function cell(suite: Suite | undefined): string {
  if (!suite) return "–";
  const { passed, failed, skipped = 0 } = suite;
  const all = failed === 0 ? `${passed} pass` : `**${failed} fail**, ${passed} pass`;
  return skipped > 0 ? `${all}, ${skipped} not run` : all;
}

function number(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function told(value: number | undefined): string {
  return value === undefined ? "–" : number(value);
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** The page with its tables as they should be. */
export function withTables(text: string, results: Results): string {
  return Object.entries(tables(results)).reduce(
    (page, [name, content]) =>
      page.replace(
        new RegExp(`(<!-- portability: ${name} -->\n).*?(<!-- /portability -->)`, "s"),
        (_, start: string, end: string) => `${start}\n${content}\n\n${end}`,
      ),
    text,
  );
}

export const PAGES = ["README.md", "docs/embedding.md"];

export function readResults(): Results {
  return JSON.parse(readFileSync(path(RESULTS), "utf8")) as Results;
}

/** What `npm run conformance -- --json` writes, by host. */
type ConformanceFile = Record<string, { notRun: string } | (Suite & { host: string; engine: string })>;
/** What `npm run conformance:http -- --json` writes. */
type HttpFile = (Suite & { name: string; notRun?: string })[];

function read<T>(file: string, otherwise: T): T {
  return existsSync(path(file)) ? (JSON.parse(readFileSync(path(file), "utf8")) as T) : otherwise;
}

function main(): void {
  const { values } = parseArgs({ options: { help: { type: "boolean", short: "h" } } });
  if (values.help) return console.log(HELP);
  const results = read<Results>(RESULTS, {});
  for (const [name, result] of Object.entries(read<ConformanceFile>("build/conformance.json", {}))) {
    if ("notRun" in result) continue;
    const { host: version, engine, ...conformance } = result;
    results[name] = { ...results[name], version, engine, conformance };
  }
  for (const { name, notRun, ...http } of read<HttpFile>("build/http.json", []))
    if (!notRun) results[name] = { ...results[name], http };
  for (const [name, measured] of Object.entries(read<Results>("build/hosts.json", {})))
    results[name] = { ...results[name], ...measured };
  writeFileSync(path(RESULTS), `${JSON.stringify(results, null, 2)}\n`);
  for (const page of PAGES) writeFileSync(path(page), withTables(readFileSync(path(page), "utf8"), results));
}

if (import.meta.main) main();
