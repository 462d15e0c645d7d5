import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import type { Local } from "../../scripts/miniflare.ts";

let local: Local;

beforeAll(async () => {
  local = await startLocal({ entry: "test/workerd/fixture/caller.ts" });
});
afterAll(() => local.dispose());
beforeEach(() => get("/stats", { method: "DELETE" }));

const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${local.url}${path}`, init);

const stats = async (): Promise<unknown> => (await get("/stats")).json();

test("upstream: a page names itself and cannot carry markup", async () => {
  expect(await (await get("/page/welcome")).text()).toContain("<h1>welcome</h1>");
  expect(await (await get("/page/%3Cscript%3E")).text()).not.toContain("<script>");
});

test("upstream: the caller chooses delay and status", async () => {
  const start = performance.now();
  const response = await get("/?delay=100&status=503");
  expect(response.status).toBe(503);
  expect(performance.now() - start).toBeGreaterThanOrEqual(95);
});

test("upstream: a sized body has its length, and the same bytes each time", async () => {
  // Text would be compressed on its way to a caller that takes it so.
  const plain = { headers: { "accept-encoding": "identity" } };
  const [first, second] = await Promise.all([get("/?size=100000", plain), get("/?size=100000", plain)]);
  expect(first.headers.get("content-length")).toBe("100000");
  const bytes = await first.bytes();
  expect(bytes.byteLength).toBe(100_000);
  expect(bytes).toEqual(await second.bytes());
});

test("upstream: a redirect goes where the caller says", async () => {
  const response = await get("/?redirect=/page/there", { redirect: "manual" });
  expect([response.status, response.headers.get("location")]).toEqual([302, "/page/there"]);
});

test("upstream: two cookies stay two", async () => {
  expect((await get("/cookies")).headers.getSetCookie()).toHaveLength(2);
});

test("upstream: echo tells what arrived", async () => {
  const response = await get("/echo", { method: "POST", body: "hello", headers: { "x-a": "1" } });
  expect(await response.json()).toMatchObject({
    method: "POST",
    body: "hello",
    headers: expect.arrayContaining([["x-a", "1"]]),
  });
});

test.for([
  ["/?delay=soon", "delay must be a whole number from 0 to 30000"],
  ["/?delay=-1", "delay must be"],
  ["/?status=99", "status must be a whole number from 200 to 599"],
  ["/?size=1e9", "size must be"],
  ["/?redirect=%0a", "redirect must be a URL"],
  ["/page/%ff", "is not percent-encoded UTF-8"],
] as const)("upstream: %s is a bad request that says why", async ([path, detail]) => {
  const response = await get(path);
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({ error: "Bad Request", detail: expect.stringContaining(detail) });
});

test("upstream: counts requests, and how many were open at once", async () => {
  await Promise.all([get("/?delay=200"), get("/?delay=200"), get("/?delay=200")]);
  expect(await stats()).toEqual({ requests: 3, active: 0, peak: 3, aborted: 0 });
});

test("upstream: sees that a caller went away while it waited", async () => {
  expect((await get("/?delay=5000", { headers: { "x-patience": "100" } })).status).toBe(504);
  await expect.poll(stats).toEqual({ requests: 1, active: 0, peak: 1, aborted: 1 });
});

test("upstream: sees that a caller went away in the middle of a body", async () => {
  const response = await get("/?size=200000000");
  await response.body!.cancel();
  await expect.poll(stats).toEqual({ requests: 1, active: 0, peak: 1, aborted: 1 });
});
