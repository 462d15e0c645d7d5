// Report: the tables of docs/performance.md, its plots, and the numbers in README.md, from docs/performance.json. What is
// between the markers is made here, what is around them is written by hand.

import { globSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ROOT, path } from "../scripts/paths.ts";
import { plots } from "./figures.ts";
import { CLAIMS, OURS, evaluate, isWithin, limitText } from "./goals.ts";
import type { Claim } from "./goals.ts";
import { FULL_RESULTS, readResults } from "./results.ts";
import type { CellResult, Results } from "./results.ts";
import { ratioOf, spreadOf } from "./statistics.ts";
import type { Spread } from "./statistics.ts";

const HELP = `Writes the tables and plots of docs/performance.md, and the numbers of README.md, from docs/performance.json.

  npm run bench:report
`;

export const PAGE = "docs/performance.md";
export const PAGES = [PAGE, "README.md"];
export const PLOTS = "docs/performance";

/** The page with what is generated as it should be. */
export function withResults(text: string, results: Results): string {
  // What has no place of its own on the page comes under `rest`.
  const named = [...text.matchAll(/<!-- performance: (\S+) -->/g)].map(([, name]) => name!);
  return text.replaceAll(
    /(<!-- performance: (\S+) -->\n).*?(<!-- \/performance -->)/gs,
    (_, start: string, name: string, end: string) => {
      const content = SECTIONS[name]?.(results, named) ?? familySection(name, results);
      return `${start}\n${content}\n\n${end}`;
    },
  );
}

const SECTIONS: Record<string, (results: Results, named: string[]) => string> = {
  runs: runsSection,
  goals: goalsSection,
  behind: behindSection,
  http: httpSection,
  rest: restSection,
  "not-run": notRunSection,
  numbers: numbersSection,
  peers: peersSection,
};

const NOT_MEASURED = "Not measured yet.";

// Families of cells: all sizes and places of one workload.

function cellsOf(family: string, results: Results): [rest: string, cell: CellResult][] {
  return Object.entries(results.cells).flatMap(([name, cell]) =>
    name.startsWith(`${family}/`) ? [[name.slice(family.length + 1), cell] as [string, CellResult]] : [],
  );
}

/** For each place its tables: a row for each variant; a column for each size, or, if there is one, for each metric. */
function familySection(family: string, results: Results): string {
  const cells = cellsOf(family, results);
  if (cells.length === 0) return NOT_MEASURED;
  const images = Object.keys(plots(results)).filter(
    (file) => file.startsWith(`${family}-`) || file === `${family}.svg`,
  );
  const places = Map.groupBy(cells, ([rest]) => (/\d$/.test(rest) ? rest.split("/").slice(0, -1).join("/") : rest));
  const tables = [...places].flatMap(([place, group]) => {
    const [first, ...others] = group.toSorted(([a], [b]) => sizeOf(a) - sizeOf(b));
    const metrics = [...new Set(group.flatMap(([, cell]) => Object.keys(cell.metrics)))];
    const unit = (metric: string): string => group.find(([, cell]) => cell.metrics[metric])![1].metrics[metric]!.unit;
    if (others.length === 0) {
      const [rest, cell] = first!;
      return [
        variantTable(
          rest,
          metrics.map((metric) => ({ head: unit(metric), cell, metric })),
        ),
      ];
    }
    return metrics.map((metric) => {
      const columns = [first!, ...others].filter(([, cell]) => cell.metrics[metric]);
      return variantTable(
        [place, unit(metric)].filter(Boolean).join(", "),
        columns.map(([rest, cell]) => ({ head: sizeText(rest.split("/").at(-1)!), cell, metric })),
      );
    });
  });
  return [...images.map(image), ...tables].join("\n\n");
}

const image = (file: string): string => `![${file.replace(".svg", "").replaceAll("-", " ")}](performance/${file})`;

interface Column {
  head: string;
  cell: CellResult;
  metric: string;
}

/** Medians; below them ours beside the first of the others, with its spread. */
function variantTable(title: string, columns: Column[]): string {
  const variants = [...new Set(columns.flatMap(({ cell }) => Object.keys(cell.variants)))];
  const rows = variants.map((variant) => {
    const medians = columns.map(({ cell, metric }) => {
      const values = cell.variants[variant]?.[metric];
      return values ? value(spreadOf(values).median) : "–";
    });
    return [isOurs(variant) ? `**${variant}**` : variant].concat(medians);
  });
  const baseline = variants.find((variant) => isPeer(variant));
  const ratios = variants
    .filter((variant) => baseline && isOurs(variant))
    .map((variant) => {
      const beside = columns.map(({ cell, metric }) => ratioText(cell, metric, variant, baseline!) ?? "–");
      return [`${variant} beside ${baseline}`].concat(beside);
    });
  return table([title, ...columns.map(({ head }) => head)], [...rows, ...ratios]);
}

/** Above 1 the variant is better than the other. Of nothing there is no multiple. */
function ratioText(
  { metrics, variants }: CellResult,
  metric: string,
  variant: string,
  other: string,
): string | undefined {
  const [values, others] = [variants[variant]?.[metric], variants[other]?.[metric]];
  if (!values || !others || ![...values, ...others].every(Boolean)) return undefined;
  return times(ratioOf(values, others, metrics[metric]!.better));
}

const sizeOf = (rest: string): number => Number(rest.split("/").at(-1)) || 0;
const sizeText = (size: string): string => (/^\d+$/.test(size) ? Number(size).toLocaleString("en") : size);

// HTTP.

/** By metric and connections: a row for each route, plain JavaScript and ours beside it. */
function httpSection(results: Results): string {
  const files = Object.keys(plots(results)).filter((file) => file.startsWith("http-"));
  const [alone, miniflare] = ["workerd", "miniflare"].map((place) => routeTables(place, results));
  if (alone!.length === 0) return NOT_MEASURED;
  return [...files.map(image), ...alone!, "Through Miniflare:", ...miniflare!].join("\n\n");
}

const HTTP_METRICS = ["requests", "cpu", "p50", "p99", "p999"];

function routeTables(place: string, results: Results): string[] {
  const cells = cellsOf(`http/${place}`, results).map(([rest, cell]) => {
    const [route, connections] = rest.split("/");
    return { route: route!, connections: Number(connections), cell };
  });
  const sizes = [...new Set(cells.map(({ connections }) => connections))].toSorted((a, b) => a - b);
  return sizes.flatMap((connections) => {
    const routes = cells.filter((each) => each.connections === connections);
    const metrics = HTTP_METRICS.filter((metric) => routes.some(({ cell }) => cell.variants["plain"]?.[metric]));
    return metrics.map((metric) => {
      const title = `${routes[0]!.cell.metrics[metric]!.unit}; ${connections === 1 ? "one connection" : `${connections} connections`}`;
      const rows = routes.map(({ route, cell }) =>
        [`\`/${route}\``].concat(WORKERS.map((name) => routeCell(cell, metric, name))),
      );
      return table([title, ...WORKERS], rows);
    });
  });
}

/** The columns of the tables for HTTP. */
const WORKERS = ["plain", "shared", "pooled", "request", "floor", "floor-request"];

function routeCell(cell: CellResult, metric: string, variant: string): string {
  const values = cell.variants[variant]?.[metric];
  if (!values) return "–";
  const median = value(spreadOf(values).median);
  return variant === "plain" ? median : `${median}, ${ratioText(cell, metric, variant, "plain") ?? ""}`;
}

// Goals.

function goalsSection(results: Results): string {
  const rows = CLAIMS.filter(({ goal }) => goal).map((claim) => {
    const spread = evaluate(claim, results);
    const met = spread && isWithin(claim.goal!, spread.median);
    return { rank: spread ? Number(met) : 2, claim, spread, met };
  });
  return table(
    ["goal", "aim", "measured", "", "the floor"],
    rows
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ claim, spread, met }) => [
        claim.says,
        limitText(claim.goal!, claim),
        spread ? measuredText(spread, claim) : "not measured",
        spread ? (met ? "met" : "**missed**") : "",
        floorText(claim, results),
      ]),
  );
}

/** What the same claim comes to for who does nothing but what nobody can leave out. */
function floorText(claim: Claim, results: Results): string {
  const spread = claim.floor && evaluate({ ...claim, variant: claim.floor }, results);
  return spread ? measuredText(spread, claim) : "";
}

function measuredText({ median, low, high }: Spread, { unit }: Claim): string {
  if (!unit) return times({ median, low, high });
  return low === high ? `${value(median)} ${unit}` : `${value(median)} ${unit} (${value(low)} to ${value(high)})`;
}

// Where another is ahead.

function behindSection(results: Results): string {
  const all = Object.entries(results.cells).flatMap(([name, cell]) => comparedToBest(name, cell));
  if (all.length === 0) return NOT_MEASURED;
  const behind = all.filter(({ ratio }) => ratio.median < 1).toSorted((a, b) => a.ratio.median - b.ratio.median);
  const even = behind.filter(({ ratio }) => ratio.high >= 1).length;
  const says = `Of ${all.length} comparisons with the best of the others, ours is behind in ${behind.length}; in ${even} of these the spread of the rounds includes a draw.`;
  return `${says}\n\n${table(
    ["cell", "ours", "", "the best of the others", "", "×"],
    behind.map(({ name, variant, mine, best, theirs, ratio }) => [
      `\`${name}\``,
      variant,
      mine,
      best,
      theirs,
      times(ratio),
    ]),
  )}`;
}

/** Each variant of ours beside the best of the others, by the first metric of the cell. */
function comparedToBest(name: string, { metrics, variants }: CellResult) {
  const [metric, { unit, better }] = Object.entries(metrics)[0]!;
  const entries = Object.entries(variants).flatMap(([variant, columns]) =>
    columns[metric] ? [{ variant, values: columns[metric], median: spreadOf(columns[metric]).median }] : [],
  );
  const others = entries.filter(({ variant, values }) => isPeer(variant) && values.every(Boolean));
  const best = others.toSorted((a, b) => (better === "less" ? a.median - b.median : b.median - a.median))[0];
  if (!best) return [];
  return entries
    .filter(({ variant }) => isOurs(variant))
    .map(({ variant, values, median }) => ({
      name,
      variant,
      mine: `${value(median)} ${unit}`,
      best: best.variant,
      theirs: value(best.median),
      ratio: ratioOf(values, best.values, better),
    }));
}

// What is left.

function restSection(results: Results, named: string[]): string {
  const families = [...new Set(Object.keys(results.cells).map((name) => name.split("/")[0]!))];
  const rest = families.filter((family) => !named.some((name) => name === family || name.startsWith(`${family}/`)));
  if (rest.length === 0) return "Nothing.";
  return rest.map((family) => `### ${family}\n\n${familySection(family, results)}`).join("\n\n");
}

function notRunSection(results: Results): string {
  const rows = Object.entries(results.cells).flatMap(([cell, { notRun }]) =>
    Object.entries(notRun).map(([variant, reason]) => ({ cell, variant, reason: inTable(reason) })),
  );
  const groups = [...Map.groupBy(rows, ({ variant, reason }) => `${variant}: ${reason}`).values()];
  if (groups.length === 0) return "All that is in the tables has run.";
  return table(
    ["", "reason", "cells"],
    groups.map((group) => {
      const { variant, reason } = group[0]!;
      return [variant, reason, group.map(({ cell }) => `\`${cell}\``).join(", ")];
    }),
  );
}

function runsSection(results: Results): string {
  if (results.runs.length === 0) return NOT_MEASURED;
  return table(
    ["run", "commit", "machine", "versions", "seed", "load before", "cells"],
    results.runs.map(({ date, commit, machine, versions, seed, load }) => [
      date.slice(0, 16).replace("T", " "),
      commit,
      machine,
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version.replace(`${name} `, "")}`)
        .join(", "),
      String(seed),
      load.toFixed(2),
      String(Object.values(results.cells).filter(({ run }) => run === date).length),
    ]),
  );
}

/** What each peer stands for: the first paragraph of its own page. */
function peersSection(): string {
  const pages = globSync("bench/peers/*/README.md", { cwd: ROOT }).toSorted();
  const rows = pages.map((page) => {
    const [heading, paragraph] = readFileSync(path(page), "utf8").split("\n\n");
    // Links lead from where they are.
    return [heading!.replace("# ", ""), inTable(paragraph!.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1").trim())];
  });
  return table(["", "stands for"], rows);
}

// The README's five numbers.

function numbersSection(results: Results): string {
  const rows = CLAIMS.flatMap((claim) => {
    const spread = claim.inReadme && evaluate(claim, results);
    return claim.inReadme ? [[claim.inReadme, spread ? measuredText(spread, claim) : "not measured yet"]] : [];
  });
  return table(["", ""], rows);
}

// Text.

const isOurs = (variant: string): boolean =>
  variant.startsWith(OURS) || ["shared", "pooled", "request"].includes(variant);

/** The floors and the store are in all of them. */
const isPeer = (variant: string): boolean => !isOurs(variant) && !/^(floor|store)/.test(variant);

const times = ({ median, low, high }: Spread): string => `× ${ratio(median)} (${ratio(low)} to ${ratio(high)})`;

const ratio = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0));

/** Three digits are what a median is worth. */
function value(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en")
    : value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

/** A cell of a table is one line. */
const inTable = (content: string): string => content.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function main(): void {
  const { values } = parseArgs({ options: { help: { type: "boolean", short: "h" } } });
  if (values.help) return console.log(HELP);
  const results = readResults(FULL_RESULTS);
  mkdirSync(path(PLOTS), { recursive: true });
  for (const file of readdirSync(path(PLOTS))) rmSync(path(PLOTS, file));
  for (const [file, svg] of Object.entries(plots(results))) writeFileSync(path(PLOTS, file), svg);
  for (const page of PAGES) writeFileSync(path(page), withResults(readFileSync(path(page), "utf8"), results));
}

if (import.meta.main) main();
