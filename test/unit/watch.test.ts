// Slow handlers are reported by name, and slices let others run. Time passes only where the guest writes to its console.

import { expect, test, vi } from "vitest";
import { Proactor, kv } from "../../src/index.ts";
import { memoryKv } from "../../src/node.ts";
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
