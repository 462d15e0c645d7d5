// Plot: lines, dots and spans of time as SVG, readable on light and on dark pages and without colours: each line has its
// name at its end, each dot in its row.

import type { Span } from "./compare.ts";

/** What an axis shows, its unit included. */
export interface Axis {
  label: string;
  /** The base of a logarithmic axis; a linear one begins at 0. */
  log?: 2 | 10;
  /** Whether a linear one ends at the last value, and not at the next round number. */
  tight?: boolean;
  /** How its numbers are written. */
  format?(value: number): string;
}

/** A median, and between what values the middle half of the samples lies. */
export interface Point {
  x: number;
  y: number;
  low?: number;
  high?: number;
}

export interface Series {
  name: string;
  points: Point[];
}

interface Titled {
  title: string;
  subtitle?: string;
}

/** The same colour for the same name in every plot. What has no colour here takes one of SPARE, in order. */
const COLOURS: Record<string, string> = {
  "wasm-proactor": "blue",
  shared: "blue",
  pooled: "teal",
  request: "violet",
  plain: "grey",
  promises: "grey",
  floor: "faint",
  "floor-request": "faint",
  "floor-host": "faint",
  jspi: "orange",
  asyncify: "red",
  jco: "pink",
  extism: "green",
  "callback-table": "brown",
  "map-of-closures": "yellow",
  "wasm-bindgen": "violet",
};
const SPARE = ["teal", "green", "pink", "brown", "yellow", "violet", "red", "orange"];

/** Each colour on a light page and on a dark one. */
const SHADES: Record<string, [light: string, dark: string]> = {
  blue: ["#1d5fd1", "#6ea8ff"],
  teal: ["#0b8a83", "#3fd0c4"],
  violet: ["#7a3fc4", "#b99aff"],
  grey: ["#5b6472", "#b4bdca"],
  faint: ["#9aa3af", "#79828f"],
  orange: ["#c76a00", "#ffb054"],
  red: ["#c22f3d", "#ff8a8f"],
  pink: ["#b8338c", "#ff8fd2"],
  green: ["#3c7d1c", "#93d66b"],
  brown: ["#7d5a3a", "#d3ab86"],
  yellow: ["#927200", "#e6c94a"],
};

const STYLE = `text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--text)}
.title{font-size:15px;font-weight:600}.soft{fill:var(--soft)}.name{font-weight:600}
.page{fill:var(--page);stroke:var(--rule)}.rule{stroke:var(--rule)}.axis{stroke:var(--soft)}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.ours{stroke-width:3}
.band{opacity:.16;stroke:none}.range{stroke-width:2;stroke-linecap:round;opacity:.55}.reference{stroke:var(--text);stroke-dasharray:4 3}`;

const variables = (shade: 0 | 1): string =>
  [
    ...Object.entries(SHADES).map(([name, shades]) => `--${name}:${shades[shade]}`),
    ...(shade === 0
      ? ["--page:#ffffff", "--text:#1c2330", "--soft:#5f6977", "--rule:#e4e8ee"]
      : ["--page:#12161d", "--text:#e7ebf1", "--soft:#9aa5b4", "--rule:#29303b"]),
  ].join(";");

const WIDTH = 760;
/** Around what is plotted; at the right is the place for the names of lines. */
const MARGIN = { top: 80, right: 142, bottom: 52, left: 68 };

// Lines.

/** Lines over sizes: a point for each size, a band from low to high around it. */
export function linePlot(plot: Titled & { x: Axis; y: Axis; series: Series[]; height?: number }): string {
  const { x, y, series, height = 400 } = plot;
  const [left, right] = [MARGIN.left, WIDTH - MARGIN.right];
  const [top, bottom] = [MARGIN.top, height - MARGIN.bottom];
  const points = series.flatMap((one) => one.points);
  const across = scaleOf(x, valuesOf(points, "x"), left + 8, right - 8);
  const up = scaleOf(y, valuesOf(points, "y", "low", "high"), bottom, top);
  const place = (x: number, y: number): Place => [across.at(x), up.at(y)];
  const colours = coloursOf(series.map(({ name }) => name));
  const heights = apart(
    series.map(({ points }) => up.at(points.at(-1)!.y)),
    15,
    top,
    bottom,
  );
  const drawn = series.map(({ name, points }, index) => {
    const colour = `var(--${colours[name]})`;
    const [upper, lower] = [points, points.toReversed()];
    const band = [
      ...upper.map(({ x, y, high = y }) => place(x, high)),
      ...lower.map(({ x, y, low = y }) => place(x, low)),
    ];
    const end = place(points.at(-1)!.x, points.at(-1)!.y);
    const named: Place = [right + 6, heights[index]!];
    return [
      `<polygon class="band" fill="${colour}" points="${joined(band)}"/>`,
      `<polyline class="line${isOurs(name) ? " ours" : ""}" stroke="${colour}" points="${joined(points.map(({ x, y }) => place(x, y)))}"/>`,
      ...points.map(({ x, y }) => dot(place(x, y), 3, colour)),
      line([end[0] + 5, end[1]], named, { stroke: colour, opacity: ".5" }),
      text([named[0] + 4, named[1] + 4], name, { class: "name", fill: colour }),
    ].join("");
  });
  return svg(plot, height, [
    text([20, top - 16], y.label, { class: "soft" }),
    ...up.ticks.map(({ at, text: label }) => ruleAcross(at, label, left, right)),
    ...across.ticks.map(({ at, text: label }) => ruleUp(at, label, top, bottom)),
    text([(left + right) / 2, height - 14], x.label, { class: "soft", "text-anchor": "middle" }),
    // Ours on top.
    ...drawn.toSorted((a, b) => Number(a.includes(" ours")) - Number(b.includes(" ours"))),
  ]);
}

const joined = (places: Place[]): string => places.map(([x, y]) => `${round(x)},${round(y)}`).join(" ");

// Dots in rows.

export interface Dot {
  name: string;
  value: number;
  /** The ends of a line through it. */
  low?: number;
  high?: number;
  /** Places on that line that are marked. */
  marks?: number[];
  /** At the right; the value if not given. */
  text?: string;
}

export interface DotGroup {
  label: string;
  dots: Dot[];
}

const DOT_ROW = 22;
const GAP = 14;
const LABEL = 150;

/** A row for each dot, with its name and number; rows come in groups. */
export function dotPlot(
  plot: Titled & { x: Axis; groups: DotGroup[]; reference?: number; textWidth?: number },
): string {
  const { x, groups, reference, textWidth = 60 } = plot;
  const format = x.format ?? number;
  const [left, right] = [MARGIN.left + LABEL, WIDTH - textWidth - 34];
  const top = MARGIN.top - 14;
  const dots = groups.flatMap((group) => group.dots);
  const values = valuesOf(dots, "value", "low", "high");
  const across = scaleOf(x, reference === undefined ? values : [...values, reference], left, right);
  const colours = coloursOf(dots.map(({ name }) => name));
  let bottom = top + 2;
  const drawn = groups.map(({ label, dots }) => {
    const start = bottom;
    bottom += dots.length * DOT_ROW + GAP;
    const rows = dots.map((each, index) => {
      const { name, value, low = value, high = value, marks = [] } = each;
      const y = start + index * DOT_ROW + 11;
      const colour = `var(--${colours[name]})`;
      return [
        text([left - 12, y + 4], name, { fill: colour, "text-anchor": "end" }),
        line([across.at(low), y], [across.at(high), y], { class: "range", stroke: colour }),
        ...marks.map((mark) =>
          line([across.at(mark), y - 4], [across.at(mark), y + 4], { class: "range", stroke: colour }),
        ),
        dot([across.at(value), y], 5, colour),
        text([right + 16, y + 4], each.text ?? format(value), { class: "soft" }),
      ].join("");
    });
    return text([20, start + 15], label, { class: "name" }) + rows.join("");
  });
  bottom -= GAP - 6;
  return svg(plot, bottom + MARGIN.bottom, [
    ...across.ticks.map(({ at, text: label }) => ruleUp(at, label, top, bottom)),
    reference === undefined
      ? ""
      : line([across.at(reference), top], [across.at(reference), bottom], { class: "reference" }),
    text([(left + right) / 2, bottom + 40], x.label, { class: "soft", "text-anchor": "middle" }),
    ...drawn,
  ]);
}

// Spans of time.

/** A few lanes are drawn so that each can be seen, many as a whole. */
const LANE_MAX = 9;
const LANES_HEIGHT = 140;

/** What was under way when: a panel for each way to do it, all over the same time. */
export function timelinePlot(plot: Titled & { x: Axis; panels: { name: string; spans: Span[] }[] }): string {
  const { x, panels } = plot;
  const [left, right] = [20, WIDTH - 28];
  const top = MARGIN.top - 14;
  const ends = panels.map(({ spans }) => Math.max(...spans.map(({ end }) => end)));
  const across = scaleOf(x, ends, left, right);
  const colours = coloursOf(panels.map(({ name }) => name));
  let bottom = top + 2;
  const drawn = panels.map(({ name, spans }, index) => {
    const colour = `var(--${colours[name]})`;
    const lanes = Math.max(...spans.map(({ lane }) => lane)) + 1;
    const height = Math.min(LANE_MAX, LANES_HEIGHT / lanes);
    const start = bottom + 24;
    bottom = start + lanes * height + GAP;
    // A stroke takes half the bytes of a rectangle, and there may be thousands.
    const bars = spans.map((span) => {
      const [from, to] = [across.at(span.start), across.at(span.end)];
      return `M${round(from)} ${round(start + (span.lane + 0.5) * height)}h${round(Math.max(0.5, to - from - 0.6))}`;
    });
    return [
      text([left, start - 7], name, { class: "name", fill: colour }),
      text([right, start - 7], `${number(round(ends[index]!, 0))} ms`, { class: "soft", "text-anchor": "end" }),
      `<path stroke="${colour}" stroke-width="${round(height * 0.8)}" d="${bars.join("")}"/>`,
    ].join("");
  });
  return svg(plot, bottom + MARGIN.bottom, [
    ...across.ticks.map(({ at, text: label }) => ruleUp(at, label, top, bottom)),
    text([(left + right) / 2, bottom + 40], x.label, { class: "soft", "text-anchor": "middle" }),
    ...drawn,
  ]);
}

// Axes.

interface Scale {
  at(value: number): number;
  ticks: { at: number; text: string }[];
}

function scaleOf({ log, tight, format = number }: Axis, values: number[], from: number, to: number): Scale {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  if (!log) {
    const step = stepOf(max / 6);
    const end = tight ? max : Math.ceil(max / step - 1e-9) * step;
    const at = (value: number): number => from + ((to - from) * value) / end;
    const count = Math.floor(end / step + 1e-9) + 1;
    const ticks = Array.from({ length: count }, (_, index) => index * step);
    return { at, ticks: ticks.map((tick) => ({ at: at(tick), text: format(tick) })) };
  }
  const steps = log === 2 ? [1] : [1, 2, 5];
  const low = Math.floor(Math.log(min) / Math.log(log) + 1e-9);
  const high = Math.ceil(Math.log(max) / Math.log(log) - 1e-9);
  const all = Array.from({ length: high - low + 2 }, (_, index) => log ** (low + index)).flatMap((power) =>
    steps.map((step) => step * power),
  );
  // The narrowest that holds all values.
  const first = all.findLastIndex((tick) => tick <= min * (1 + 1e-9));
  const last = all.findIndex((tick) => tick >= max * (1 - 1e-9));
  const [start, end] = [all[first]!, all[Math.max(last, first + 1)]!];
  const at = (value: number): number => from + ((to - from) * Math.log(value / start)) / Math.log(end / start);
  const within = all.filter((tick) => tick >= start * (1 - 1e-9) && tick <= end * (1 + 1e-9));
  return { at, ticks: fewer(within, log).map((tick) => ({ at: at(tick), text: format(tick) })) };
}

/** As many ticks as can be read: whole powers alone, or each second, third … of them. */
function fewer(ticks: number[], log: number): number[] {
  if (ticks.length <= 9) return ticks;
  const powers = ticks.filter((tick) => Number.isInteger(round(Math.log(tick) / Math.log(log), 6)));
  const every = Math.ceil(powers.length / 9);
  return powers.filter((_, index) => index % every === 0);
}

/** The next of 1, 2, 5, 10, 20, … */
function stepOf(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((step) => step * power >= value * (1 - 1e-9))! * power;
}

function ruleUp(at: number, label: string, top: number, bottom: number): string {
  const rule = line([at, top], [at, bottom], { class: "rule" });
  return rule + text([at, bottom + 18], label, { class: "soft", "text-anchor": "middle" });
}

function ruleAcross(at: number, label: string, left: number, right: number): string {
  const rule = line([left, at], [right, at], { class: "rule" });
  return rule + text([left - 8, at + 4], label, { class: "soft", "text-anchor": "end" });
}

/** All numbers under these names. */
function valuesOf<K extends string>(items: Partial<Record<K, number>>[], ...names: K[]): number[] {
  return items.flatMap((item) => names.flatMap((name) => item[name] ?? []));
}

// Names, colours, numbers.

const isOurs = (name: string): boolean => name === "wasm-proactor";

function coloursOf(names: string[]): Record<string, string> {
  const colours: Record<string, string> = {};
  const spare = SPARE.filter((colour) => !names.some((name) => COLOURS[name] === colour));
  for (const name of names) colours[name] ??= COLOURS[name] ?? spare.shift() ?? "grey";
  return colours;
}

/** Places at least `least` from each other, as near to the wanted ones as that allows, in the same order. */
function apart(wanted: number[], least: number, min: number, max: number): number[] {
  const order = wanted.map((_, index) => index).toSorted((a, b) => wanted[a]! - wanted[b]!);
  const places = [...wanted];
  let before = min - least;
  for (const index of order) before = places[index] = Math.max(places[index]!, before + least);
  let after = max + least;
  for (const index of order.toReversed()) after = places[index] = Math.min(places[index]!, after - least);
  return places;
}

export function number(value: number): string {
  if (value >= 1e6 && value % 1e5 === 0) return `${value / 1e6} M`;
  const rounded = value < 1000 ? Number(value.toPrecision(3)) : Math.round(value);
  return rounded.toLocaleString("en", { maximumSignificantDigits: 12 });
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

type Place = [x: number, y: number];

function text([x, y]: Place, content: string, { fill, ...attributes }: Record<string, string> = {}): string {
  // A style, since a rule for all texts is stronger than an attribute.
  const style = fill ? ` style="fill:${fill}"` : "";
  return `<text${written({ x: round(x), y: round(y), ...attributes })}${style}>${escape(content)}</text>`;
}

function line([x1, y1]: Place, [x2, y2]: Place, attributes: Record<string, string>): string {
  return `<line${written({ x1: round(x1), y1: round(y1), x2: round(x2), y2: round(y2), ...attributes })}/>`;
}

function dot([cx, cy]: Place, r: number, fill: string): string {
  return `<circle${written({ cx: round(cx), cy: round(cy), r, fill })}/>`;
}

function written(attributes: Record<string, string | number>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${value}"`)
    .join("");
}

const escape = (content: string): string =>
  content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function svg({ title, subtitle }: Titled, height: number, content: string[]): string {
  const whole = Math.ceil(height);
  const head = `viewBox="0 0 ${WIDTH} ${whole}" width="${WIDTH}" height="${whole}" role="img" aria-label="${escape(title)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${head}>
<style>
:root{color-scheme:light dark;${variables(0)}}
@media (prefers-color-scheme:dark){:root{${variables(1)}}}
${STYLE}
</style>
<rect class="page" x=".5" y=".5" width="${WIDTH - 1}" height="${whole - 1}" rx="8"/>
${text([20, 27], title, { class: "title" })}
${subtitle ? text([20, 46], subtitle, { class: "soft" }) : ""}
${content.filter(Boolean).join("\n")}
</svg>
`;
}
