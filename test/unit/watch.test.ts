// Slow handlers are reported by name, and slices let others run. Time passes only where the guest writes to its console.

import { expect, test, vi } from "vitest";
import { COMPLETION_FLAGS, HANDLER_SHIFT } from "../../assembly/abi.ts";
import { Proactor, kv } from "../../src/index.ts";
import { memoryKv } from "../../src/node.ts";
import type { Instance } from "../../src/instance.ts";
import { watchHandlers } from "../../src/watch.ts";
import type { SlowHandler } from "../../src/watch.ts";
import { compileGuest } from "../support/asc.ts";

async function compile(target: "release" | "debug"): Promise<WebAssembly.Module> {
  const { wasm, diagnostics } = await compileGuest("test/guest/slow.ts", ["--target", target]);
  if (!wasm) throw new Error(diagnostics);
  return WebAssembly.compile(wasm);
}

const modules = { release: compile("release"), debug: compile("debug") };

async function visit(target: "release" | "debug", route: string) {
  let now = 0;
  const log: string[] = [];
  const slow: SlowHandler[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => {
    log.push(line.trim());
    if (line.startsWith("slow")) now += 80;
  });
  const proactor = await Proactor.instantiate(await modules[target], {
    resources: { CACHE: kv(memoryKv()) },
    instantiate: watchHandlers({ ms: 50, clock: { now: () => now }, onSlow: (handler) => slow.push(handler) }),
  });
  const response = await proactor.fetch(new Request(`http://localhost${route}`));
  return { slow, log, text: await response.text() };
}

test("watch: a slow handler is reported by its name and its operation", async () => {
  const { slow, text } = await visit("debug", "/then");
  expect(text).toBe("done");
  expect(slow).toEqual([
    { ms: 80, handler: "test/guest/slow/compressTheImage", operation: "KvGet", token: expect.anything() },
  ]);
});

test("watch: the handler of a composite has its name too", async () => {
  const { slow } = await visit("debug", "/group");
  expect(slow).toHaveLength(1);
  expect(slow[0]!.handler).toMatch(/^start:test\/guest\/slow~anonymous/);
});

test("watch: a handler that is an object is named by its operation", async () => {
  const { slow } = await visit("debug", "/object");
  expect(slow).toMatchObject([{ handler: undefined, operation: "Timer" }]);
});

test("watch: a module without names is watched all the same", async () => {
  const { slow } = await visit("release", "/then");
  expect(slow).toMatchObject([{ ms: 80, operation: "KvGet" }]);
});

test("watch: says nothing of quick handlers", async () => {
  expect(await visit("debug", "/quick")).toMatchObject({ slow: [], text: "done" });
});

test("slices: others have their turns between the pieces", async () => {
  const { log, text } = await visit("release", "/slices");
  expect(text).toBe("49995000");
  expect(log).toEqual(["after 0", "after 1000"]);
});

/** Runs a module whose handlers are all slow and whose instance has these exports. */
function runSlow(
  exports: object,
  options: { onSlow: (slow: SlowHandler) => void },
  module = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
): number {
  let now = 0;
  const instantiate = watchHandlers({
    ...options,
    clock: { now: () => (now += 100) },
    instantiate: () => ({ exports: { run: () => 7, memory: new WebAssembly.Memory({ initial: 1 }), ...exports } }),
  });
  const imports = { proactor_v1: { submit: () => 0, poll: () => 0 } };
  const instance = instantiate(new WebAssembly.Module(module), imports, {} as Instance);
  return (instance.exports["run"] as (budget: number) => number)(1);
}

test("watch: what onSlow throws is no trap of the guest", async () => {
  const told = vi.spyOn(console, "error").mockImplementation(() => {});
  const error = new Error("no disk");
  const onSlow = (): never => {
    throw error;
  };
  expect(runSlow({}, { onSlow })).toBe(7);
  expect(told).toHaveBeenCalledExactlyOnceWith("wasm-proactor: onSlow has thrown:", error);
  told.mockRestore();
});

test("watch: a handler that is in no table is reported without a name", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  new Uint32Array(memory.buffer)[COMPLETION_FLAGS >> 2] = 9 << HANDLER_SHIFT;
  for (const table of [new WebAssembly.Table({ element: "anyfunc", initial: 2 }), memory, undefined]) {
    const slow: SlowHandler[] = [];
    expect(runSlow({ memory, table }, { onSlow: (handler) => slow.push(handler) })).toBe(7);
    expect(slow).toMatchObject([{ ms: 100, handler: undefined }]);
  }
});

test("watch: names that break off are no names", () => {
  const name = [4, ...new TextEncoder().encode("name")];
  // The names of functions, whose number never ends.
  const section = [...name, 1, 5, 0xff];
  const module = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, section.length, ...section]);
  expect(runSlow({}, { onSlow: () => {} }, module)).toBe(7);
});

test.for([
  [{ msec: 20 }, 'options of watchHandlers: "msec" is none of ms, onSlow, clock, instantiate'],
  [{ ms: "20" }, "ms: 20 is no number of milliseconds"],
  [{ ms: -1 }, "ms: -1 is no number of milliseconds"],
  [{ ms: NaN }, "ms: NaN is no number of milliseconds"],
  [{ onSlow: "warn" }, "onSlow: this is no function"],
  [{ clock: {} }, "clock: it has no now()"],
  [{ instantiate: {} }, "instantiate: this is no function"],
] as const)("watch: %j is refused", ([options, message]) => {
  expect(() => watchHandlers(options as object)).toThrow(new TypeError(message));
});
