// The WASI functions, called as a guest that AssemblyScript's shim did not write would call them.

import { afterEach, expect, test, vi } from "vitest";
import { Proactor } from "../src/index.ts";
import type { ErrorReport, ProactorOptions } from "../src/index.ts";
import { Simulation } from "../src/testing/index.ts";
import { wat } from "../scripts/wat.ts";

const AGAIN = 6;
const BADF = 8;
const NOTSUP = 58;

/** A guest that calls `body` while it starts and traps with the answer's code as its line. */
function guest(imports: string, body: string, pages = 1): Promise<WebAssembly.Module> {
  return wat(`(module
    (import "proactor_v1" "abort" (func $abort (param i32 i32 i32 i32 i32 i32)))
    ${imports}
    (memory (export "memory") ${pages})
    (data (i32.const 16) "line\\0arest")
    (func (export "run") (param i32) (result i32) (i32.const 0))
    (func $answer (result i32) ${body})
    (func (export "_initialize")
      (call $abort (i32.const 24) (i32.const 0) (i32.const 16) (i32.const 4) (call $answer) (i32.const 0))))`);
}

const FD_WRITE = `(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))`;
/** Writes \`bytes\` from an address to a descriptor. */
const write = (descriptor: number, bytes: number, at = 16): string => `
  (i32.store (i32.const 0) (i32.const ${at}))
  (i32.store (i32.const 4) (i32.const ${bytes}))
  (call $write (i32.const ${descriptor}) (i32.const 0) (i32.const 1) (i32.const 8))`;

async function answerOf(module: Promise<WebAssembly.Module>, options: ProactorOptions = {}): Promise<number> {
  const error: unknown = await Proactor.instantiate(await module, options).catch((reason: unknown) => reason);
  return Number(/line:(\d+):/.exec(String(error))?.[1]);
}

afterEach(() => vi.restoreAllMocks());

test("wasi: there is nothing to write to but the console", async () => {
  expect(await answerOf(guest(FD_WRITE, write(0, 4)))).toBe(BADF);
  expect(await answerOf(guest(FD_WRITE, write(3, 4)))).toBe(BADF);
});

test("wasi: the console gets whole lines", async () => {
  const log = vi.spyOn(console, "log").mockReturnValue();
  expect(await answerOf(guest(FD_WRITE, write(1, 9)))).toBe(0);
  expect(log.mock.calls).toEqual([["line"]]);
});

test.for([
  ["one that never ends", "a".repeat(20_000), [8192, 8192]],
  ["one that ends", `${"a".repeat(20_000)}\n`, [8192, 8192, 3616]],
  ["one that is just not too long", `${"a".repeat(8192)}\n\nb\n`, [8192, 0, 1]],
  ["one of characters that UTF-16 writes as two", `a${"\u{1f600}".repeat(8200)}`, [8192]],
] as const)("wasi: a line over 8,192 characters comes in parts: %s", async ([, text, lengths]) => {
  const error = vi.spyOn(console, "error").mockReturnValue();
  const bytes = Buffer.from(text);
  const data = `(data (i32.const 1024) "${bytes.toString("hex").replaceAll(/../g, "\\$&")}")`;
  expect(await answerOf(guest(FD_WRITE + data, write(2, bytes.length, 1024)))).toBe(0);
  const lines = error.mock.calls.map(([line]: string[]) => line!);
  expect(lines.map((line) => [...line].length)).toEqual(lengths);
  expect(lines.every((line) => line.isWellFormed())).toBe(true);
});

const FD_READ = `(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))`;
const CLOCK = `(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))`;
const clockTo = (at: number): string => `(call $clock (i32.const 0) (i64.const 0) (i32.const ${at}))`;

test("wasi: what lies outside memory is a trap, and nothing of it is written", async () => {
  const log = vi.spyOn(console, "log").mockReturnValue();
  const odd: [imports: string, body: string, options?: ProactorOptions][] = [
    [FD_WRITE, write(1, 65_536)],
    [FD_WRITE, write(1, -1)],
    [FD_WRITE, write(1, 1, 65_536)],
    [FD_WRITE, write(1, 9, -4)],
    [FD_WRITE, "(call $write (i32.const 1) (i32.const 65532) (i32.const 1) (i32.const 8))"],
    [FD_WRITE, "(call $write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 65533))"],
    [FD_READ, write(0, -1).replace("$write", "$read")],
    [CLOCK, clockTo(65_529)],
    [CLOCK, clockTo(65_529), { clock: new Simulation().clock }],
  ];
  for (const [imports, body, options] of odd)
    await expect(
      guest(imports, body).then((module) => Proactor.instantiate(module, options)),
      body,
    ).rejects.toThrow(/outside|beyond memory/);
  expect(log).not.toHaveBeenCalled();
  expect(await answerOf(guest(FD_WRITE, write(1, 65_520)))).toBe(0);
  expect(log.mock.calls[0]).toEqual(["line"]);
});

/** A little over 2 GiB. */
const PAGES = 32_769;
const HIGH = 0x8000_0000;

test("wasi: a pointer above 2 GiB is one like any other", async () => {
  const log = vi.spyOn(console, "log").mockReturnValue();
  const writeHigh = `
    (i64.store (i32.const ${HIGH}) (i64.const 0x5_0000_0010))
    (call $write (i32.const 1) (i32.const ${HIGH}) (i32.const 1) (i32.const ${HIGH + 8}))`;
  const written = `(i32.load (i32.const ${HIGH + 8}))`;
  expect(await answerOf(guest(FD_WRITE, `(drop ${writeHigh}) ${written}`, PAGES))).toBe(5);
  expect(log.mock.calls).toEqual([["line"]]);
  expect(await answerOf(guest(CLOCK, `(drop ${clockTo(HIGH)}) (i64.eqz (i64.load (i32.const ${HIGH})))`, PAGES))).toBe(
    0,
  );
});

test("wasi: nobody can wait by poll_oneoff", async () => {
  const poll = `(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))`;
  const wait = "(call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))";
  expect(await answerOf(guest(poll, wait))).toBe(NOTSUP);
});

test("wasi: a module that asks for files is told so before it runs", async () => {
  const open = `(import "wasi_snapshot_preview1" "path_open" (func $open (result i32)))`;
  await expect(guest(open, "(call $open)").then((module) => Proactor.instantiate(module))).rejects.toThrow(
    /wasi_snapshot_preview1\.path_open: this host does not provide it/,
  );
});

test("unanswered: a module that never accepts says so in a report", async () => {
  const module = await wat(`(module (memory (export "memory") 1)
    (func (export "run") (param i32) (result i32) (i32.const 0)) (func (export "_initialize")))`);
  const reports: ErrorReport[] = [];
  const app = await Proactor.instantiate(module, { onError: (report) => reports.push(report) });
  const response = await app.fetch(new Request("http://localhost/"));
  expect([response.status, await response.json()]).toMatchObject([500, { error: "unanswered" }]);
  expect(reports).toMatchObject([{ kind: "unanswered", message: expect.stringContaining("call serve()") }]);
});

const seven = (bytes: Uint8Array): void => void bytes.fill(7);
const refuse = (): never => {
  throw new Error("not now");
};

test("wasi: random numbers come from whom the host's owner names, who may refuse", async () => {
  const random = `(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))`;
  const get = "(call $random (i32.const 64) (i32.const 8))";
  expect(await answerOf(guest(random, get), { random: refuse })).toBe(AGAIN);
  expect(await answerOf(guest(random, `(drop ${get}) (i32.load8_u (i32.const 71))`), { random: seven })).toBe(7);
});
