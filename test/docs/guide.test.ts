// docs/guide.md is executed: each of its blocks is a guest, and answers as the page says.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { GuestJob, GuestResult } from "../../scripts/asc-worker.ts";
import { path } from "../../scripts/paths.ts";
import { Proactor, kv } from "../../src/index.ts";
import type { Isolation } from "../../src/index.ts";
import { jspi } from "../../src/fiber.ts";
import { Simulation, memoryKv } from "../../src/testing/index.ts";
import { Page } from "./markdown.ts";

const page = new Page("docs/guide.md");
const modules = new Map<string, WebAssembly.Module>();
const played = new Set<string>();

beforeAll(async () => {
  const compiler = new Worker(new URL("../../scripts/asc-worker.ts", import.meta.url));
  for (const { title, code } of page.blocks) {
    // As if it lay among the examples, whose configuration is that of a user's project.
    const entry = `examples/${title}`;
    const job: GuestJob = {
      entry,
      outFile: `build/docs/${title}.wasm`,
      argv: ["--config", "examples/asconfig.json", "--target", "debug"],
      patches: { [path(entry)]: code },
    };
    compiler.postMessage(job);
    const [{ wasm, diagnostics }] = (await once(compiler, "message")) as [GuestResult];
    if (!wasm) throw new Error(`${title} does not compile:\n${diagnostics}`);
    modules.set(title, await WebAssembly.compile(wasm as Uint8Array<ArrayBuffer>));
  }
  await compiler.terminate();
});

afterAll(() => expect([...played].toSorted()).toEqual(page.blocks.map(({ title }) => title).toSorted()));

const KEYS = { greeting: "hello", salt: "white", pepper: "black", count: "41", "/cached": "from the cache" };

/** An upstream whose paths say how it behaves. */
function upstream(attempts: Map<string, number>) {
  return async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const attempt = (attempts.get(pathname) ?? 0) + 1;
    attempts.set(pathname, attempt);
    if (pathname === "/shaky") return new Response(`attempt ${attempt}`, { status: attempt < 3 ? 503 : 200 });
    if (pathname === "/down") return new Response("down", { status: 503 });
    if (pathname === "/missing") return new Response("missing", { status: 404 });
    return new Response(pathname);
  };
}

async function start(title: string, isolation: Isolation = "pooled") {
  played.add(title);
  const attempts = new Map<string, number>();
  const world = new Simulation({ seed: 1, delay: [1, 20] });
  const store = memoryKv(world.clock);
  for (const [key, value] of Object.entries(KEYS)) await store.put(key, new TextEncoder().encode(value).buffer, {});
  const module = modules.get(title)!;
  const reports: string[] = [];
  const app = new Proactor(module, {
    resources: { CACHE: kv(store), API: world.origin("https://api.test", upstream(attempts)) },
    clock: world.clock,
    isolation,
    onError: ({ kind, status }) => reports.push(`${kind} ${status}`),
    ...(WebAssembly.Module.imports(module).some(({ module }) => module === "proactor_v1_fiber") && {
      instantiate: jspi(),
    }),
  });
  const send = (route: string) => app.fetch(new Request(`http://localhost${route}`));
  const get = async (route: string): Promise<string> => {
    const response = await world.run(send(route));
    const answer = `${response.status} ${await response.text()}`;
    await world.settle();
    expect([app.counters.contexts, world.openBodies]).toEqual([0, 0]);
    return answer;
  };
  return { world, app, attempts, reports, send, get };
}

test("guide: one operation", async () => {
  expect(await (await start("guide-one.ts")).get("/")).toBe("200 hello");
});

test("guide: three ways to receive a result", async () => {
  const { get } = await start("guide-styles.ts");
  expect([await get("/submit"), await get("/then"), await get("/await")]).toEqual(Array(3).fill("200 hello"));
});

test("guide: several at once", async () => {
  const { get, world } = await start("guide-several.ts");
  expect(await get("/all")).toBe("200 white and black");
  expect(await get("/each")).toBe("200 1 of 2");
  expect(await get("/any")).toMatch(/^200 \/(slow|fast)$/);
  const before = world.clock.now();
  expect(await get("/race")).toBe("200 the shorter one");
  expect(world.clock.now() - before).toBe(10);
});

test("guide: when something fails", async () => {
  const { get, attempts, reports } = await start("guide-failures.ts");
  expect(await get("/retry")).toBe("200 attempt 3");
  expect(attempts.get("/shaky")).toBe(3);
  expect(await get("/fallback")).toBe("200 /mirror");
  expect(await get("/hedge")).toBe("200 /sometimes-slow");
  expect(await get("/map")).toBe("200 42");
  // The 503 that was no success; those of the retry were results, and not failures.
  expect(reports).toEqual(["dropped -13"]);
});

test("guide: a task", async () => {
  const { get } = await start("guide-task.ts");
  expect(await get("/cached")).toBe("200 from the cache");
  expect(await get("/page")).toBe("200 /page");
  expect(await get("/missing")).toBe("404 no such page");
});

test("guide: a fiber", async () => {
  const { get } = await start("guide-fiber.ts");
  expect(await get("/cached")).toBe("200 from the cache");
  expect(await get("/page")).toBe("200 /page");
  expect(await get("/missing")).toBe("404 no such page");
});

test("guide: scopes", async () => {
  const { get } = await start("guide-scope.ts");
  expect(await get("/first")).toMatch(/^200 \/(slow|fast)$/);
  expect(await get("/own")).toBe("200 nothing is left");
});

test("guide: across requests", async () => {
  const { app, world, attempts, send } = await start("guide-shared.ts", "shared");
  const answers = await world.run(Promise.all(["/a", "/a", "/b", "/log"].map(send)));
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(["/a", "/a", "/b", "/a"]);
  expect([...attempts]).toEqual([
    ["/a", 1],
    ["/b", 1],
  ]);
  await world.settle();
  expect(app.counters.contexts).toBe(0);
});

test("guide: long computations", async () => {
  expect(await (await start("guide-slices.ts")).get("/")).toBe("200 done");
});
