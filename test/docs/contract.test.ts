// docs/contract.md must say what assembly/abi.ts says, and be enough to write a host from.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as abi from "../../assembly/abi.ts";
import { path } from "../../scripts/paths.ts";
import { DEFAULT_LIMITS } from "../../src/index.ts";
import { Page, codeIn, numberIn } from "./markdown.ts";
import type { Table } from "./markdown.ts";

const page = new Page("docs/contract.md");

/** First column to number. */
function numbersOf(table: Table): Record<string, number> {
  return Object.fromEntries(table.map(([name, number]) => [codeIn(name!), numberIn(number!)]));
}

/** An enum's names to numbers, without the way back. */
function namesOf(values: object): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => Number.isNaN(Number(name))));
}

/** The constants of abi.ts whose names have this form. */
function constants(form: RegExp): Record<string, number> {
  const all = Object.entries(abi).filter(([, value]) => typeof value === "number") as [string, number][];
  return Object.fromEntries(all.filter(([name]) => form.test(name)));
}

const RECORD = /^(SUBMISSION|COMPLETION)_(?!BYTES$)/;
const SUBMISSION_FLAG = /^(ACCEPT_HEADERS|RESPOND_FORWARD|FETCH_BODY|KV_METADATA|REPORT_DROPPED|DETACHED)$/;
const COMPLETION_FLAG = /^(MORE|RECLAIM|DISPATCHED)$/;

test.for([
  ["opcodes", ["opcode", "number", "in one sentence"], abi.Opcode],
  ["statuses", ["status", "number", "means"], abi.Status],
  ["event kinds", ["kind", "bit", "is"], abi.EventKind],
  ["redirect modes", ["mode", "number", "does"], abi.RedirectMode],
  ["cancel results", ["result", "number", "means"], abi.CancelResult],
] as const)("contract: the page lists the %s of abi.ts with their numbers", ([, head, values]) => {
  expect(numbersOf(page.table(...head))).toEqual(namesOf(values));
});

test("contract: the page lists the flags of abi.ts with their bits", () => {
  expect(numbersOf(page.table("flag", "bit", "on", "means"))).toEqual(constants(SUBMISSION_FLAG));
  expect(numbersOf(page.table("flag", "bit", "set by", "means"))).toEqual(constants(COMPLETION_FLAG));
});

test("contract: the page lists every other constant of abi.ts with its number", () => {
  const rest = Object.entries(constants(/./)).filter(
    ([name]) => !RECORD.test(name) && !SUBMISSION_FLAG.test(name) && !COMPLETION_FLAG.test(name),
  );
  expect(numbersOf(page.table("limit", "number", "of"))).toEqual(Object.fromEntries(rest));
});

test.for(["SUBMISSION", "COMPLETION"])("contract: the fields of a %s lie where abi.ts says", (record) => {
  const tables = page.tables("offset", "field", "type", "holds");
  const table = tables[record === "SUBMISSION" ? 0 : 1]!;
  const fields = Object.fromEntries(table.map(([offset, field]) => [codeIn(field!), numberIn(offset!)]));
  const expected = Object.entries(constants(new RegExp(`^${record}_(?!BYTES$)`))).map(([name, offset]) => [
    name.slice(record.length + 1).toLowerCase(),
    offset,
  ]);
  expect(fields).toEqual(Object.fromEntries(expected));
});

test("contract: the rulers are those of abi.ts", () => {
  const rulers = readFileSync(path("assembly/abi.ts"), "utf8")
    .split("\n")
    .filter((line) => /^\/\/ [├│]/.test(line))
    .map((line) => line.slice(3));
  const drawn = new Set(page.text.split("\n"));
  expect(rulers.filter((line) => !drawn.has(line))).toEqual([]);
});

test("contract: the page lists the host's limits with their defaults", () => {
  expect(numbersOf(page.table("limit", "default", "of", "over it"))).toEqual(DEFAULT_LIMITS);
});

test("contract: every operation has a section of its own", () => {
  expect(page.headings).toEqual(expect.arrayContaining(Object.keys(namesOf(abi.Opcode))));
});

test("contract: every status that the page mentions exists", () => {
  const operations = page.tables("completes with", "when").flat();
  const mentioned = operations.flatMap(([statuses]) => statuses!.split(", "));
  expect(mentioned.filter((status) => !(status in abi.Status))).toEqual([]);
});

test("contract: the number of an error is in its band", () => {
  const numbers = Object.values(namesOf(abi.Status)).filter((number) => number !== 0);
  expect(numbers.every((number) => number <= -1 && number >= -95)).toBe(true);
});

test("contract: the page's host serves a request by a real guest", async () => {
  const { code } = page.block("host.js");
  const host = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  const module = new WebAssembly.Module(readFileSync(path("build/test/size.wasm")));
  const request = { method: "GET", url: "http://localhost/greeting", headers: [["accept", "*/*"]] };
  const store = new Map([["/greeting", new TextEncoder().encode("hello from the store")]]);
  const { status, body } = await host.serveOnce(module, request, store);
  expect([status, new TextDecoder().decode(body)]).toEqual([200, "hello from the store"]);
});
