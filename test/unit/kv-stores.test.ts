// The stores of Node, of the simulated host and of a page against one model: what a Workers KV namespace promises.

import { array, assert, asyncProperty, constant, constantFrom, integer, oneof, option, record } from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { fileKv, memoryKv } from "../../src/node.ts";
import type { KvStore } from "../../src/index.ts";
import { chromiumPath } from "../../scripts/chromium.ts";
import { Simulation, VirtualClock } from "../../src/testing/index.ts";
import { PageKv } from "../support/page-kv.ts";

const folder = mkdtempSync(join(tmpdir(), "kv-stores-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

let browser: PageKv | undefined;
afterAll(() => browser?.close());

const stores: [string, (clock: VirtualClock) => Promise<KvStore>, runs: number][] = [
  ["memory", async (clock) => memoryKv(clock), 50],
  ["file", (clock) => fileKv(join(folder, `${files++}.sqlite`), clock), 50],
];
// Where there is no browser, test/browser says so.
if (chromiumPath) stores.push(["IndexedDB", async (clock) => (browser ??= await PageKv.launch()).make(clock), 10]);

/** Few enough to collide, and all that sorts or matches in unexpected ways. */
const KEYS = [
  "a",
  "ab",
  "a%",
  "a_c",
  "A",
  "%",
  "é",
  "e\u0301",
  "\ufeff",
  "\uffff",
  "😀",
  "\u{10ffff}",
  "a\u0000",
  "a\u0000b",
  "*",
  "'",
];
const key = constantFrom(...KEYS);

const step = oneof(
  record({
    put: key,
    value: integer({ min: 0, max: 255 }),
    ttl: option(integer({ min: 60, max: 200 })),
    metadata: option(constantFrom<unknown>({ a: 1 }, [null], "text", 0, false, null), { nil: undefined }),
  }),
  record({ get: key }),
  record({ remove: key }),
  record({ list: oneof(constant(""), key), limit: integer({ min: 1, max: 5 }) }),
  record({ wait: integer({ min: 0, max: 90_000 }) }),
);

const bytes = (text: string): Buffer => Buffer.from(text, "utf8");

describe.for(stores)("%s", ([, make, numRuns]) => {
  test("kv stores: whatever is put, read, removed, listed and awaited, the model agrees", () =>
    assert(
      asyncProperty(array(step, { size: "large", maxLength: 60 }), async (steps) => {
        const clock = new VirtualClock(1_000_000);
        const store = await make(clock);
        const model = new Map<string, { value: number; ends: number; metadata: unknown }>();
        for (const step of steps) {
          for (const [name, { ends }] of model) if (ends * 1000 <= clock.now()) model.delete(name);
          if ("put" in step) {
            const { put, value, ttl, metadata } = step;
            await store.put(put, new Uint8Array([value]).buffer, {
              ...(ttl !== null && { expirationTtl: ttl }),
              ...(metadata !== undefined && { metadata }),
            });
            const ends = ttl === null ? Infinity : Math.floor(clock.now() / 1000) + ttl;
            model.set(put, { value, ends, metadata });
          } else if ("get" in step) {
            const entry = model.get(step.get);
            const plain = await store.get(step.get, { type: "arrayBuffer" });
            const full = await store.getWithMetadata(step.get, { type: "arrayBuffer" });
            expect(plain && [...new Uint8Array(plain)]).toEqual(entry ? [entry.value] : null);
            expect(full.value && [...new Uint8Array(full.value)]).toEqual(entry ? [entry.value] : null);
            expect(full.metadata).toEqual(entry?.metadata ?? null);
          } else if ("remove" in step) {
            await store.delete(step.remove);
            model.delete(step.remove);
          } else if ("list" in step) {
            const expected = [...model.keys()]
              .filter((name) => name.startsWith(step.list))
              .toSorted((a, b) => Buffer.compare(bytes(a), bytes(b)));
            const found: string[] = [];
            let cursor: string | undefined;
            for (let pages = 0; pages <= model.size; pages++) {
              const page = await store.list({ prefix: step.list, limit: step.limit, ...(cursor && { cursor }) });
              found.push(...page.keys.map(({ name }) => name));
              for (const { name, expiration } of page.keys) {
                expect(expiration ?? Infinity).toBe(model.get(name)!.ends);
              }
              if (page.list_complete) break;
              expect(page.keys).toHaveLength(step.limit);
              cursor = page.cursor;
            }
            expect(found).toEqual(expected);
          } else clock.moveTo(clock.now() + step.wait);
        }
      }),
      { numRuns },
    ));

  test("kv stores: what was put or read is a copy", async () => {
    const store = await make(new VirtualClock());
    const value = new Uint8Array([1, 2, 3]);
    await store.put("key", value.buffer, {});
    value.fill(9);
    const read = new Uint8Array((await store.get("key", { type: "arrayBuffer" }))!);
    expect([...read]).toEqual([1, 2, 3]);
    read.fill(9);
    expect([...new Uint8Array((await store.get("key", { type: "arrayBuffer" }))!)]).toEqual([1, 2, 3]);
    expect((await store.get("key", { type: "arrayBuffer" }))!.byteLength).toBe(3);
  });
});

test.for(stores.slice(0, 2))(
  "%s: a value that is no buffer is refused, and options may be left out",
  async ([, open]) => {
    const store = await open(new VirtualClock());
    const put = store.put as (key: string, value: unknown) => Promise<void>;
    await expect(put("a", "12")).rejects.toThrow(
      'put: the value of "a" is no ArrayBuffer; of a text, give new TextEnc',
    );
    await expect(put("a", 5)).rejects.toThrow("no ArrayBuffer");
    await put("b", new TextEncoder().encode("text").buffer);
    expect(await (store.list as () => ReturnType<KvStore["list"]>)()).toMatchObject({ keys: [{ name: "b" }] });
  },
);

test("kv stores: a file keeps its keys, for the next process and for another one at the same time", async () => {
  const path = join(folder, "kept.sqlite");
  const clock = new VirtualClock();
  const first = await fileKv(path, clock);
  const second = await fileKv(path, clock);
  await first.put("key", new ArrayBuffer(1), { metadata: { a: 1 } });
  expect(await second.getWithMetadata("key", { type: "arrayBuffer" })).toMatchObject({ metadata: { a: 1 } });
  await second.delete("key");
  expect(await first.get("key", { type: "arrayBuffer" })).toBe(null);
});

test("kv stores: what is no clock is refused, such as the world that has one", async () => {
  const world = new Simulation() as unknown as VirtualClock;
  const message = "the clock has no now(); of a Simulation, give world.clock";
  expect(() => memoryKv(world)).toThrow(`memoryKv: ${message}`);
  await expect(fileKv(join(folder, "none.sqlite"), world)).rejects.toThrow(`fileKv: ${message}`);
});
