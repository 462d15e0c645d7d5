// Table: hosts beside each other. A line for each route or subject, as the checks' names begin; what did not pass has a line
// of its own, since that is what one looks for.

import type { Outcome } from "./perform.ts";

export interface Column {
  readonly name: string;
  readonly outcomes: readonly Outcome[];
  /** Why it was not run. */
  readonly reason?: string;
}

export function tableOf(columns: readonly Column[]): string {
  const subjects = [...new Set(columns.flatMap(({ outcomes }) => outcomes.map(subjectOf)))];
  const others = [...new Set(columns.flatMap(({ outcomes }) => outcomes.filter(({ is }) => is !== "ok").map(nameOf)))];
  const row = (name: string, cellOf: (column: Column, name: string) => string): string[] =>
    [name].concat(columns.map((column) => cellOf(column, name)));
  const rows = [row("", nameOf)].concat(
    subjects.map((subject) => row(subject, sumOf)),
    others.map((name) => row(name, stateOf)),
  );
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join("  ")
      .trimEnd(),
  );
  const notRun = columns.flatMap(({ name, reason }) => (reason ? [`${name} was not run: ${reason}`] : []));
  return [...lines, ...notRun].join("\n");
}

const nameOf = ({ name }: { readonly name: string }): string => name;

const subjectOf = ({ name }: Outcome): string => name.split(":")[0]!;

/** How many of a subject's checks passed, of those that ran. */
function sumOf({ outcomes, reason }: Column, subject: string): string {
  if (reason) return "not run";
  const ran = outcomes.filter((outcome) => subjectOf(outcome) === subject && outcome.is !== "skipped");
  const passed = ran.filter(({ is }) => is === "ok");
  return ran.length === 0 ? "skipped" : `${passed.length}/${ran.length}`;
}

function stateOf({ outcomes, reason }: Column, name: string): string {
  if (reason) return "not run";
  return outcomes.find((outcome) => outcome.name === name)?.is ?? "not run";
}
