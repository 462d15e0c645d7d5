import { expect, test } from "vitest";
import { readFileSync } from "node:fs";
import { createWorker } from "../../src/cloudflare.ts";
import { memoryKv } from "../../src/node.ts";
import { formatReport, kv, origin } from "../../src/index.ts";
import { path } from "../../scripts/paths.ts";

const store = memoryKv();
const url = "https://api.example.com";
/** As a caller without types, or with a binding that is missing, would write it. */
const untyped = (options: unknown): never => options as never;

test("grants: a fetcher that is missing is refused, and is not the public network", () => {
  expect(() => origin(url, untyped({ fetcher: undefined }))).toThrow(
    "origin: fetcher is undefined; is the binding's name",
  );
  expect(() => origin(url, untyped({ fetcher: null }))).toThrow("origin: fetcher is null");
  expect(() => origin(url, untyped({ fetch }))).toThrow('options of origin: "fetch" is none of fetcher');
  expect(() => origin(url, untyped({ fetcher: fetch }))).toThrow("origin: the fetcher has no fetch()");
});

test("grants: rights that are misspelt, or missing, are not all rights", () => {
  expect(() => kv(store, untyped({ right: ["read"] }))).toThrow('options of kv: "right" is none of rights');
  expect(() => kv(store, untyped({ rights: undefined }))).toThrow("kv: rights is undefined");
  expect([...kv(store, untyped({ rights: "read" })).rights]).toEqual(["read"]);
  expect([...kv(store, { rights: [] }).rights]).toEqual([]);
});

test("worker: resources that are no function are refused while the Worker starts", () => {
  const bytes = [0, 97, 115, 109, 1, 0, 0, 0];
  expect(() => createWorker(new WebAssembly.Module(new Uint8Array(bytes)), untyped({}))).toThrow(/no guest|function/);
});

test("reports: what failed without a handler is not called one", () => {
  const report = { message: "closed", operation: "respond", token: { slot: 2, generation: 1 } };
  expect(formatReport({ kind: "unhandled", ...report })).toContain("the operation was respond 2:1");
  expect(formatReport({ kind: "trap", ...report })).toContain("in the handler of respond 2:1");
});

test("reports: one line, whatever a guest or its client has put into it", () => {
  const forged = "closed\r\nwasm-proactor: trap: all is lost\u2028\u0085";
  expect(formatReport({ kind: "unhandled", message: forged })).toBe(
    "wasm-proactor: unhandled: closed wasm-proactor: trap: all is lost ",
  );
});

test("grants: an origin that is undefined is named so", () => {
  expect(() => origin(untyped(undefined))).toThrow('origin: "undefined" is none; write it as https://api.example.com');
});

test.for([
  ["nothing", () => undefined],
  ["a promise", async () => ({})],
])("grants: a function that gives %s is told what to give", ([, resources]) => {
  const worker = createWorker(new WebAssembly.Module(readFileSync(path("build/worker.wasm"))), untyped(resources));
  expect(() => worker.proactor({})).toThrow("createWorker: give grants: (env) => ({");
});
