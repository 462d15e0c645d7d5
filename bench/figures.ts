// Figures: which plots there are, and what of the results each shows. A plot of which nothing was measured is left out.

import { dotPlot, linePlot, number, timelinePlot } from "./plot.ts";
import type { Dot, Series } from "./plot.ts";
import type { CellResult, Results } from "./results.ts";
import { ratioOf, spreadOf } from "./statistics.ts";

/** SVG by file. A file's name begins with the family of cells that it belongs to. */
export function plots(results: Results): Record<string, string> {
  const all = FIGURES.map(({ file, draw }) => [file, draw(results)] as const);
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

interface Figure {
  file: string;
  draw(results: Results): string | undefined;
}

const SPREAD = "medians of all rounds; the band is the middle half of them";

const FIGURES: Figure[] = [
  ...overSizes("noop", "One noop", "operations in a batch"),
  ...overSizes("pummel", "One operation of many", "operations in flight"),
  ...overSizes("million-in-flight", "One read, by how many wait at the same time", "reads in flight", 10),
  ...overSizes("contexts", "One operation, by how many requests are in one instance", "requests at the same time", 10),
  ...overSizes("copy-in", "A value that is read", "its size", 2, byteText),
  ...overSizes("copy-out", "A value that is written", "its size", 2, byteText),
  timelines("read-1000", "A thousand reads, of which the device does a hundred at a time"),
  timelines("sequential-vs-concurrent-100", "A hundred reads of 20 ms"),
  { file: "latency.svg", draw: addedLatency },
  { file: "memory.svg", draw: memory },
  { file: "http-requests.svg", draw: httpRequests },
  { file: "http-latency.svg", draw: httpLatency },
];

// Times over sizes.

function overSizes(family: string, title: string, x: string, log: 2 | 10 = 2, format = number): Figure[] {
  return ["node", "workerd"].map((place) => ({
    file: `${family}-${place}.svg`,
    draw(results) {
      const series = seriesOf(`${family}/${place}/`, results);
      if (!series.some(({ points }) => points.length > 1)) return undefined;
      return linePlot({
        title: `${title}, in ${place === "node" ? "Node" : "workerd"}`,
        subtitle: SPREAD,
        x: { label: x, log, format },
        y: { label: "time of each", log: 10, format: timeText },
        series,
      });
    },
  }));
}

type Unit = [size: number, name: string];

// The largest first.
const TIMES: Unit[] = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
  [1, "ns"],
];
const BYTES: Unit[] = [
  [2 ** 20, "MB"],
  [2 ** 10, "KB"],
  [1, "B"],
];

/** Nanoseconds as they are read. */
function timeText(ns: number): string {
  return inUnits(ns, TIMES);
}

function byteText(bytes: number): string {
  return inUnits(bytes, BYTES);
}

/** In the largest unit of which it is one, or else in the smallest. */
function inUnits(value: number, units: Unit[]): string {
  const [size, name] = units.find(([size]) => value >= size) ?? units.at(-1)!;
  return `${number(value / size)} ${name}`;
}

/** A line for each variant, a point for each cell. There is no place for 0 on a logarithmic axis. */
function seriesOf(prefix: string, results: Results): Series[] {
  const cells = Object.entries(results.cells)
    .flatMap(([name, cell]) => (name.startsWith(prefix) ? [{ size: Number(name.slice(prefix.length)), cell }] : []))
    .filter(({ size }) => size > 0)
    .toSorted((a, b) => a.size - b.size);
  const names = [...new Set(cells.flatMap(({ cell }) => Object.keys(cell.variants)))];
  return names
    .map((name) => ({
      name,
      points: cells.flatMap(({ size, cell }) => {
        const values = cell.variants[name]?.["time"];
        if (!values) return [];
        const { median, low, high } = spreadOf(values);
        // What was measured as less than an empty request is too little to be told.
        return low > 0 ? [{ x: size, y: median, low, high }] : [];
      }),
    }))
    .filter(({ points }) => points.length > 0);
}

// HTTP.

const ROUTES: Record<string, string> = {
  hello: "hello",
  kv: "one KV read",
  "kv-10": "ten KV reads",
  "fetch-5": "five fetches",
  echo: "echo of 1 MB",
  forward: "forward of 10 MB",
};

const CONNECTIONS = 32;

function routesOf(results: Results): [label: string, cell: CellResult][] {
  return Object.entries(ROUTES).flatMap(([route, label]) => {
    const cell = results.cells[`http/workerd/${route}/${CONNECTIONS}`];
    return cell?.variants["plain"] ? [[label, cell] as [string, CellResult]] : [];
  });
}

function httpRequests(results: Results): string | undefined {
  const groups = routesOf(results).map(([label, { variants }]) => ({
    label,
    dots: Object.entries(variants).flatMap(([name, { requests }]): Dot[] => {
      if (name === "plain" || !requests) return [];
      const { median: value, low, high } = ratioOf(requests, variants["plain"]!["requests"]!, "more");
      return [{ name, value, low, high }];
    }),
  }));
  if (groups.length === 0) return undefined;
  return dotPlot({
    title: "Requests per second, beside a plain Worker",
    subtitle: `workerd alone, ${CONNECTIONS} connections; the line is the middle half of all rounds`,
    x: { label: "times those of plain JavaScript", format: (value) => value.toFixed(2) },
    reference: 1,
    groups,
  });
}

function httpLatency(results: Results): string | undefined {
  const groups = routesOf(results).map(([label, { variants }]) => ({
    label,
    dots: Object.entries(variants).map(([name, { p50, p99, p999 }]): Dot => {
      const [value, mark, high] = [p50!, p99!, p999!].map((values) => spreadOf(values).median) as [
        number,
        number,
        number,
      ];
      return { name, value, low: value, high, marks: [mark, high], text: [value, mark, high].map(number).join(" · ") };
    }),
  }));
  if (groups.length === 0) return undefined;
  return dotPlot({
    title: "How long an answer takes",
    subtitle: `workerd alone, ${CONNECTIONS} connections that ask as fast as they can; dot, marks and numbers: p50 · p99 · p99.9`,
    x: { label: "ms", log: 10 },
    textWidth: 120,
    groups,
  });
}

// What was under way when.

function timelines(family: string, title: string): Figure {
  return {
    file: `${family}.svg`,
    draw(results) {
      const spans = results.cells[`${family}/simulated`]?.timelines;
      if (!spans) return undefined;
      return timelinePlot({
        title,
        subtitle: "each bar is a read, from its start to its end, in virtual time",
        x: { label: "ms since the start", tight: true },
        panels: Object.entries(spans).map(([name, spans]) => ({ name, spans })),
      });
    },
  };
}

// What is added to an operation of the host.

function addedLatency(results: Results): string | undefined {
  const cell = results.cells["latency/node"];
  if (!cell) return undefined;
  const dots = Object.entries(cell.variants).map(([name, { p50, p99 }]): Dot => {
    const [value, high] = [spreadOf(p50!).median, spreadOf(p99!).median];
    return { name, value, low: value, high, marks: [high], text: `${number(value)} · ${number(high)}` };
  });
  return dotPlot({
    title: "What is added to an operation of the host that takes a millisecond",
    subtitle: "in Node, from the end of one to the start of the next; dot, mark and numbers: p50 · p99",
    x: { label: "µs", log: 10 },
    textWidth: 100,
    groups: [{ label: "", dots: dots.toSorted((a, b) => a.value - b.value) }],
  });
}

// What an operation takes while it waits.

const PARTS: Record<string, string> = { guest: "in the guest", host: "on the host", process: "of the process" };

function memory(results: Results): string | undefined {
  const count = 1_000_000;
  const cell = results.cells[`memory/node/${count}`];
  if (!cell) return undefined;
  const groups = Object.entries(PARTS).map(([metric, label]) => ({
    label,
    dots: Object.entries(cell.variants).flatMap(([name, columns]): Dot[] => {
      const { median: value, low, high } = spreadOf(columns[metric] ?? [0]);
      // There is no place for 0 on a logarithmic axis: who has no guest takes nothing in it.
      return low > 0 ? [{ name, value, low, high }] : [];
    }),
  }));
  return dotPlot({
    title: "What an operation takes while it waits",
    subtitle: `${number(count)} reads in flight in Node; the store alone has its share in all of them`,
    x: { label: "bytes of each", log: 10 },
    groups: groups.filter(({ dots }) => dots.length > 0),
  });
}
