// What an author is told whose module or options cannot work: what is wrong, and what to do.

import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import type { Local } from "../../scripts/miniflare.ts";
import { path } from "../../scripts/paths.ts";
import { createWorker } from "../../src/cloudflare.ts";
import { DEFAULT_LIMITS, ModuleError, Proactor, kv, origin } from "../../src/index.ts";
import type { Instantiate, ProactorOptions } from "../../src/index.ts";
import { memoryKv } from "../../src/kv-memory.ts";
import { wat, watBytes } from "../../scripts/wat.ts";

const MEMORY = '(memory (export "memory") 1)';
const INITIALIZE = '(func (export "_initialize"))';
const RUN = '(func (export "run") (param i32) (result i32) (i32.const 0))';
const CONTRACT = `${MEMORY} ${INITIALIZE} ${RUN}`;

/** What is said about a module of these parts. */
async function said(parts: string, options: ProactorOptions = {}): Promise<string> {
  const error = await Proactor.instantiate(await wat(`(module ${parts})`), options).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ModuleError);
  return (error as ModuleError).message;
}

describe("modules", () => {
  test("instantiation: a module with the three exports is a guest, whatever else it exports", async () => {
    await Proactor.instantiate(
      await wat(`(module ${CONTRACT} (global (export "__stack_pointer") (mut i32) (i32.const 0)))`),
    );
  });

  test.for<[string, string, string[]]>([
    ["no run", `${MEMORY} ${INITIALIZE}`, ['it exports no function "run"', 'export { run } from "wasm-proactor"']],
    ["no memory", `${INITIALIZE} ${RUN}`, ['it exports no memory "memory"', "asconfig.json"]],
    ["no _initialize", `${MEMORY} ${RUN}`, ['it exports no function "_initialize"', "asconfig.json"]],
    [
      "run as a global",
      `${MEMORY} ${INITIALIZE} (global (export "run") i32 (i32.const 0))`,
      ['it exports no function "run"'],
    ],
    ["memory as a function", `(func (export "memory")) ${INITIALIZE} ${RUN}`, ['it exports no memory "memory"']],
  ])("instantiation: %s", async ([, parts, sentences]) => {
    const message = await said(parts);
    for (const sentence of sentences) expect(message).toContain(sentence);
  });

  test.for<[string, string]>([
    ["env.abort", '(import "env" "abort" (func (param i32 i32 i32 i32)))'],
    ["env.seed", '(import "env" "seed" (func (result f64)))'],
    ["index.fetch", '(import "index" "fetch" (func))'],
    ["proactor_v1.fetch", '(import "proactor_v1" "fetch" (func))'],
    ["proactor_v2.submit", '(import "proactor_v2" "submit" (func (param i32 i32) (result i32)))'],
    ["wasi_snapshot_preview1.path_open", '(import "wasi_snapshot_preview1" "path_open" (func))'],
    ["wasi_snapshot_preview1.toString", '(import "wasi_snapshot_preview1" "toString" (func))'],
    ["wasi_unstable.fd_write", '(import "wasi_unstable" "fd_write" (func))'],
    ["proactor_v1.submit as a global", '(import "proactor_v1" "submit" (global i32))'],
  ])("instantiation: an import of %s is refused by name", async ([name, declaration]) => {
    const message = await said(`${declaration} ${CONTRACT}`);
    expect(message).toMatch(
      new RegExp(`^- it imports (function|global) ${name.split(" ")[0]}\\b.*this host does not provide`, "m"),
    );
    expect(message).toContain("contract is proactor_v1");
  });

  test("instantiation: an imported memory is refused, though it is exported again", async () => {
    const message = await said(`(import "env" "memory" (memory 1)) (export "memory" (memory 0)) ${INITIALIZE} ${RUN}`);
    expect(message).toContain("it imports memory env.memory");
  });

  test("instantiation: everything that is wrong is said at once", async () => {
    const message = await said('(import "env" "abort" (func)) (import "env" "trace" (func))');
    for (const wrong of ["env.abort", "env.trace", '"memory"', '"run"', '"_initialize"'])
      expect(message).toContain(wrong);
  });

  test.for<[string, BufferSource]>([
    ["text", new TextEncoder().encode("<html>not found</html>")],
    ["nothing", new Uint8Array(0)],
    ["half a module", new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0])],
    ["no bytes at all", "app.wasm" as never],
    ["undefined", undefined as never],
  ])("instantiation: %s is no module", async ([, bytes]) => {
    const error: unknown = await Proactor.instantiate(bytes).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ModuleError);
    expect((error as Error).message).toMatch(
      /^the module does not compile: .*; give the bytes of one, or import the \.wasm file/,
    );
  });

  test("instantiation: bytes are compiled where the platform allows it", async () => {
    await Proactor.instantiate(await watBytes(`(module ${CONTRACT})`));
    await Proactor.instantiate((await watBytes(`(module ${CONTRACT})`)).buffer);
  });
});

const IMPORTS = `
  (import "proactor_v1" "submit" (func $submit (param i32 i32) (result i32)))
  (import "proactor_v1" "poll" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "proactor_v1" "open" (func $open (param i32 i32) (result i32)))
  (import "proactor_v1" "abort" (func $abort (param i32 i32 i32 i32 i32 i32)))`;
const ABORT = "(call $abort (i32.const 0) (i32.const 6) (i32.const 8) (i32.const 6) (i32.const 12) (i32.const 34))";
const TEXTS = '(data (i32.const 0) "no way\\00\\00app.ts")';

/** Traps, by a division by zero, unless the call answers Invalid. */
const check = (call: string): string => `(drop (i32.div_u (i32.const 1) (i32.eq (i32.const -1) ${call})))`;

describe("the start", () => {
  test("instantiation: an abort in _initialize is told with its place", async () => {
    const message = await said(`${IMPORTS} ${MEMORY} ${TEXTS} ${RUN} (func (export "_initialize") ${ABORT})`);
    expect(message).toBe("the module trapped while it started: no way (app.ts:12:34)");
  });

  test("instantiation: so is any other trap in _initialize", async () => {
    expect(await said(`${MEMORY} ${RUN} (func (export "_initialize") (unreachable))`)).toMatch(
      /^the module trapped while it started: unreachable/,
    );
    expect(await said(`${MEMORY} ${RUN} (func $f (export "_initialize") (call $f))`)).toContain("call stack");
  });

  test("instantiation: a start function has nobody to talk to yet", async () => {
    const start = `(func $start
      ${check("(call $submit (i32.const 0) (i32.const 1))")}
      ${check("(call $poll (i32.const 0) (i32.const 1) (i32.const 64) (i32.const 64))")}
      ${check("(call $open (i32.const 0) (i32.const 1))")})
      (start $start)`;
    await Proactor.instantiate(await wat(`(module ${IMPORTS} ${CONTRACT} ${start})`));
    expect(await said(`${IMPORTS} ${CONTRACT} ${TEXTS} (func $start ${ABORT}) (start $start)`)).toMatch(
      /^the module trapped while it started: /,
    );
    expect(await said(`${CONTRACT} (func $start (unreachable)) (start $start)`)).toContain("unreachable");
  });

  test("instantiation: `instantiate: jspi`, without the parentheses, is an error that says so", async () => {
    const module = await wat(`(module ${IMPORTS} ${CONTRACT})`);
    const instantiate = (() => () => {}) as unknown as Instantiate;
    expect(() => new Proactor(module, { instantiate })).toThrow("it is jspi(), not jspi");
  });

  test("instantiation: a start that fails counts as no instance", async () => {
    // The first is made to find out that the module starts; the second finds another memory, so to speak.
    const module = await wat(`(module ${IMPORTS} ${MEMORY} ${RUN} (func (export "_initialize") (unreachable)))`);
    expect(() => new Proactor(module)).toThrow(ModuleError);
  });

  test("instantiation: I/O that the start asks for completes with NotPermitted, and poll says so at once", async () => {
    // A noop at 64 and an accept at 128. One poll with room for ten finds the noop's failure alone.
    const start = `(func (export "_initialize")
      (i32.store16 offset=136 (i32.const 0) (i32.const 4))
      (i32.store offset=172 (i32.const 0) (i32.const 1))
      (i32.store offset=128 (i32.const 0) (i32.const 1))
      (if (i32.ne (call $submit (i32.const 64) (i32.const 2)) (i32.const 2)) (then (unreachable)))
      (if (i32.ne (call $poll (i32.const 1024) (i32.const 10) (i32.const 4096) (i32.const 4096)) (i32.const 1)) (then (unreachable)))
      (if (i32.ne (i32.load (i32.const 1032)) (i32.const -4)) (then (unreachable))))`;
    const proactor = await Proactor.instantiate(await wat(`(module ${IMPORTS} ${MEMORY} ${RUN} ${start})`));
    expect(proactor.counters).toMatchObject({ inFlight: 1, completed: 1, instances: 1 });
  });

  test("instantiation: a module that never accepts answers every request at once", async () => {
    const reports: unknown[] = [];
    const proactor = await Proactor.instantiate(await wat(`(module ${CONTRACT})`), {
      onError: (report) => reports.push(report),
    });
    const response = await proactor.fetch(new Request("http://guest.test/"));
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: "unanswered", detail: "The module accepts no requests: call serve() while it starts." },
    ]);
    expect(reports).toMatchObject([{ kind: "unanswered" }]);
  });
});

describe("options", () => {
  const guest = new WebAssembly.Module(readFileSync(path("build/test/contract.wasm")));
  const make =
    (options: object): (() => Proactor) =>
    () =>
      new Proactor(guest, options as ProactorOptions);

  test.for<[string, object, string]>([
    ["an isolation that there is not", { isolation: "none" }, 'isolation: "none" is none of request, pooled, shared'],
    ["a limit that there is not", { limits: { inflight: 5 } }, 'limits: "inflight" is none of inFlight, budget, '],
    [
      "an option that there is not",
      { isolaton: "shared" },
      'options: "isolaton" is none of resources, isolation, limits, onError, clock',
    ],
    ["an onError that is no function", { onError: 5 }, "onError: this is no function"],
    ["a clock that is none", { clock: null }, "clock: this is no object"],
    ["a source of random numbers that is none", { random: {} }, "random: this is no function"],
    ["a maker of instances that is none", { instantiate: {} }, "instantiate: this is no function"],
    ["limits that are a number", { limits: 5 }, "limits: this is no object"],
    ["a limit of 0", { limits: { inFlight: 0 } }, "limits.inFlight: 0 is no "],
    [
      "a binding that is not granted",
      { resources: { CACHE: memoryKv() } },
      "resources.CACHE: this is no grant; wrap it in kv() or origin()",
    ],
    [
      "a binding that is not there",
      { resources: { CACHE: undefined } },
      "resources.CACHE: this is no grant; wrap it in kv() or origin()",
    ],
    [
      "a grant of an unknown kind",
      { resources: { DB: { kind: "d1" } } },
      "resources.DB: this is no grant; wrap it in kv() or origin()",
    ],
  ])("options: %s", ([, options, message]) => {
    expect(make(options)).toThrow(message);
  });

  test.for<[string, () => unknown, string]>([
    [
      "a KV binding that is not there",
      () => kv(undefined as never),
      "kv: the store is no KV namespace; is the binding's name right?",
    ],
    ["a KV binding of another kind", () => kv({ fetch() {} } as never), "is the binding's name right?"],
    [
      "a right that there is not",
      () => kv(memoryKv(), { rights: ["delete" as never] }),
      'rights: "delete" is none of read, write, list',
    ],
    ["no origin", () => origin([]), "origin: give at least one, such as https://api.example.com"],
    [
      "an origin with a path",
      () => origin("https://api.example.com/v1"),
      'origin: "https://api.example.com/v1" is none; write it as https://api.example.com, without a path',
    ],
    ["an origin without a scheme", () => origin("api.example.com"), 'origin: "api.example.com" is none'],
    ["an origin with a wildcard", () => origin("https://*.example.com"), ""],
    ["an origin with a user", () => origin("https://user@example.com"), 'origin: "https://user@example.com" is none'],
    ["an origin of another scheme", () => origin("ftp://example.com"), 'origin: "ftp://example.com" is none'],
    ["an empty origin", () => origin(""), 'origin: "" is none'],
  ])("options: %s", ([, call, message]) => {
    if (message) expect(call).toThrow(message);
    else expect(call()).toMatchObject({ origins: ["https://*.example.com"] });
  });

  test("options: what is not given, or undefined, has its default", async () => {
    const module = await wat(`(module ${CONTRACT})`);
    const nothing = { resources: undefined, isolation: undefined, limits: undefined, onError: undefined };
    for (const options of [{}, nothing as ProactorOptions])
      expect(new Proactor(module, options).limits).toEqual(DEFAULT_LIMITS);
  });

  test("options: those of a Worker are looked at while it starts", () => {
    const start = (options: object) => () => createWorker(guest, () => ({}), options);
    expect(start({ isolaton: "shared" })).toThrow('options: "isolaton" is none of');
    expect(start({ limits: { inFlight: 0 } })).toThrow("limits.inFlight: 0 is no ");
    const late = createWorker(guest, () => ({}), (() => ({ isolaton: "shared" })) as never);
    expect(() => late.proactor({})).toThrow('options: "isolaton" is none of');
  });

  test("options: an onError that fails, at once or later, harms nobody", async () => {
    const module = await wat(`(module ${CONTRACT})`);
    const { error } = console;
    const lines: string[] = [];
    console.error = (line: string) => void lines.push(line);
    try {
      const failing: ProactorOptions["onError"][] = [
        () => {
          throw new Error("at once");
        },
        async () => {
          throw new Error("later");
        },
      ];
      for (const onError of failing) {
        const proactor = await Proactor.instantiate(module, { onError: onError! });
        expect((await proactor.fetch(new Request("http://guest.test/"))).status).toBe(500);
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
    } finally {
      console.error = error;
    }
    expect(lines).toEqual([
      "wasm-proactor: unexpected: onError threw: at once",
      "wasm-proactor: unexpected: onError threw: later",
    ]);
  });
});

describe("requests", () => {
  const guest = new WebAssembly.Module(readFileSync(path("build/test/size.wasm")));

  test.for<[string, unknown]>([
    ["a string", "http://guest.test/"],
    ["a URL", new URL("http://guest.test/")],
    ["a response", new Response()],
    ["nothing", undefined],
  ])("requests: %s is none, and costs nothing", async ([, request]) => {
    const proactor = new Proactor(guest, { onError: () => {} });
    const before = { ...proactor.counters };
    await expect(proactor.fetch(request as never)).rejects.toThrow(new TypeError("fetch takes a Request"));
    expect(proactor.counters).toEqual(before);
  });

  test("requests: one that the host cannot read is answered, and its instance serves the next", async () => {
    const reports: unknown[] = [];
    const proactor = new Proactor(guest, { onError: (report) => reports.push(report) });
    const before = { ...proactor.counters };
    const response = await proactor.fetch({ method: "GET", url: "http://guest.test/" } as never);
    expect([response.status, await response.json()]).toMatchObject([500, { error: "unexpected" }]);
    expect(reports.at(-1)).toMatchObject({ kind: "unexpected" });
    expect(proactor.counters).toEqual(before);
    await proactor.fetch(new Request("http://guest.test/"));
    expect(proactor.counters).toMatchObject({ contexts: 0, instances: 1, instantiated: 1 });
  });
});

describe("workerd", () => {
  let local: Local | undefined;
  afterAll(() => local?.dispose());

  test("instantiation: bytes are refused by the platform, and the message says what to do instead", async () => {
    local = await startLocal({ entry: "test/contract/fixture/compiles.ts" });
    expect(await (await fetch(`${local.url}/`)).json()).toEqual({
      name: "ModuleError",
      message: expect.stringContaining("import the .wasm file, as in `import app from"),
    });
    expect(await (await fetch(`${local.url}/worker`)).json()).toEqual({
      name: "ModuleError",
      message: 'this is no compiled module: import the .wasm file, as in `import app from "./app.wasm"`',
    });
  });

  test("instantiation: a Worker says so while it starts", () => {
    expect(() => createWorker(new Uint8Array(8) as never, () => ({}))).toThrow(ModuleError);
  });
});

test("instantiation: who wants to see what crosses the border makes the instances itself", async () => {
  const imported: string[][] = [];
  const instantiate: Instantiate = (module, imports) => {
    imported.push(Object.keys(imports["proactor_v1"]!));
    return new WebAssembly.Instance(module, imports);
  };
  await Proactor.instantiate(await wat(`(module ${CONTRACT})`), { instantiate });
  expect(imported).toEqual([["submit", "poll", "open", "abort"]]);
});
