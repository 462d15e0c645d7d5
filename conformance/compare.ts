// Compare: replies made alike, so that what differs is what a host did, and not how it went about it.

import { createHash } from "node:crypto";
import type { Reply } from "./protocol.ts";

/** The reply without what hosts may differ in, and with keys in one order. */
export function alike(reply: Reply): Reply {
  const copy = structuredClone(reply);
  copy.calls?.sort((a, b) => compare(a.call, b.call));
  copy.aborted?.sort(compare);
  copy.closed?.sort(compare);
  copy.answers?.sort((a, b) => compare(a.id, b.id));
  for (const { headers } of [...(copy.calls ?? []), ...(copy.answers ?? [])])
    headers?.sort(([a], [b]) => compare(a, b));
  // What the guest itself says is the guest's; the other words are the host's.
  for (const report of copy.reports ?? []) if (!report.file) delete report.message;
  return sorted(copy) as Reply;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Keys in order, and nothing that is empty. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, inner]) => [key, sorted(inner)] as const)
    .filter(([key, inner]) => !isEmpty(inner) || key === "value")
    .toSorted(([a], [b]) => compare(a, b));
  return Object.fromEntries(entries);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

/** The SHA-256 of what was seen. */
export function traceHash(replies: Reply[]): string {
  const lines = replies.map((reply) => `${JSON.stringify(alike(reply))}\n`);
  return createHash("sha256").update(lines.join("")).digest("hex");
}

/** What differs, a line each with − and +, or nothing. */
export function difference(expected: Reply, found: Reply): string[] {
  const [before, after] = [linesOf(alike(expected)), linesOf(alike(found))];
  return before.join("\n") === after.join("\n") ? [] : diff(before, after);
}

/** A line for each thing that is seen. */
function linesOf(reply: Reply): string[] {
  return Object.entries(reply).flatMap(([field, value]) =>
    (Array.isArray(value) ? value : [value]).map(
      (entry) => `${field}: ${typeof entry === "string" ? entry : JSON.stringify(entry)}`,
    ),
  );
}

/** By the longest common subsequence: steps are short. */
function diff(before: string[], after: string[]): string[] {
  const common = Array.from({ length: before.length + 1 }, () => Array<number>(after.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      common[i]![j] =
        before[i] === after[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && before[i] === after[j]) {
      lines.push(`  ${before[i++]}`);
      j++;
    } else if (i === before.length || (j < after.length && common[i]![j + 1]! > common[i + 1]![j]!)) {
      lines.push(`+ ${after[j++]}`);
    } else {
      lines.push(`- ${before[i++]}`);
    }
  }
  return lines;
}
