// Every route of the deployed Worker, over HTTP on real workerd, in each isolation mode.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import type { Local } from "../../scripts/miniflare.ts";

/** Expects a refusal: status, word and a sentence that contains `detail`. */
async function expectRefusal(response: Response, status: number, error: string, detail: string): Promise<void> {
  expect(await response.json()).toEqual({ error, detail: expect.stringContaining(detail) });
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
}

describe.for(["request", "pooled", "shared"] as const)("%s", (isolation) => {
  let local: Local;

  beforeAll(async () => {
    local = await startLocal({ isolation });
  });
  afterAll(() => local.dispose());
  beforeEach(() => stats("DELETE"));

  const send = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`${local.url}${path}`, { redirect: "manual", ...init });

  const put = (path: string, body: BodyInit): Promise<Response> => send(path, { method: "PUT", body });

  const text = async (path: string, init?: RequestInit): Promise<string> => (await send(path, init)).text();

  /** What the upstream has seen since the test began. */
  const stats = async (method = "GET"): Promise<unknown> => {
    const upstream = await local.mf.getWorker("wasm-proactor-upstream");
    return (await upstream.fetch("http://upstream.internal/stats", { method })).json();
  };

  test("hello: answers at once, as text", async () => {
    const response = await send("/hello");
    expect([response.status, await response.text()]).toEqual([200, "hello"]);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  });

  test("hello: HEAD is GET without the body", async () => {
    const response = await send("/hello", { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  });

  test("start page: is HTML that may load nothing from elsewhere", async () => {
    const response = await send("/");
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    const html = await response.text();
    expect(html).toMatch(/^<!doctype html>.*<\/html>\n$/s);
    expect(html).not.toMatch(/https?:/);
  });

  // KV

  test("kv: a key is written, read and removed", async () => {
    expect((await put("/kv/colour", "grün")).status).toBe(204);
    expect(await text("/kv/colour")).toBe("grün");
    expect((await send("/kv/colour", { method: "DELETE" })).status).toBe(204);
    await expectRefusal(await send("/kv/colour"), 404, "not-found", "no such key");
    expect((await send("/kv/colour", { method: "DELETE" })).status).toBe(204);
  });

  test("kv: a value is bytes, and never served as HTML", async () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index * 7);
    await put("/kv/bytes", bytes);
    const response = await send("/kv/bytes");
    expect(await response.bytes()).toEqual(bytes);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  });

  test("kv: an empty value is a value", async () => {
    await put("/kv/empty", "");
    const response = await send("/kv/empty");
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  test("kv: a key is percent-decoded, slashes included", async () => {
    const name = "a/b c?d&e=f%g/😀";
    await put(`/kv/${encodeURIComponent(name)}`, "found");
    expect(await text("/kv/a/b%20c%3Fd%26e=f%25g/%F0%9F%98%80")).toBe("found");
    expect(JSON.parse(await text("/kv?prefix=a%2Fb+c"))).toEqual({ keys: [{ name }], cursor: null });
  });

  test("kv: keys of 512 bytes are taken, longer ones refused, whatever their characters", async () => {
    const longest = encodeURIComponent("é".repeat(256));
    expect((await put(`/kv/${longest}`, "1")).status).toBe(204);
    expect(await text(`/kv/${longest}`)).toBe("1");
    for (const method of ["GET", "PUT", "DELETE"]) {
      const response = await send(`/kv/${longest}x`, { method });
      await expectRefusal(response, 413, "too-large", "a key has at most 512 bytes");
    }
  });

  test("kv: an empty key is refused", async () => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      await expectRefusal(await send("/kv/", { method }), 400, "bad-request", '"" is no key');
    }
  });

  test("kv: a value over 25 MiB is refused, and the one before it stays", async () => {
    await put("/kv/large", "before");
    const response = await put("/kv/large", new Uint8Array(26_214_401));
    await expectRefusal(response, 413, "too-large", "more than 26214400 bytes");
    expect(await text("/kv/large")).toBe("before");
  });

  test("kv: a list goes on where its cursor points, in the order of the keys", async () => {
    for (const name of ["e", "a", "d", "b", "c"]) await put(`/kv/letter/${name}`, name);
    const names: string[] = [];
    let cursor = "";
    for (const expected of [2, 2, 1]) {
      const page = JSON.parse(await text(`/kv?prefix=letter/&limit=2&cursor=${encodeURIComponent(cursor)}`));
      expect(page.keys).toHaveLength(expected);
      names.push(...page.keys.map(({ name }: { name: string }) => name.slice("letter/".length)));
      cursor = page.cursor;
    }
    expect([names.join(""), cursor]).toEqual(["abcde", null]);
  });

  test("kv: a list escapes what JSON wants escaped", async () => {
    const name = 'quote"back\\slash\nline\u0001\u001f/é😀';
    await put(`/kv/${encodeURIComponent(name)}`, "1");
    expect(JSON.parse(await text("/kv?prefix=quote"))).toEqual({ keys: [{ name }], cursor: null });
  });

  // Upstream

  test("aggregate: all fetches are under way at once, and each tells its start and end", async () => {
    const { took, fetches } = JSON.parse(await text("/aggregate?n=30&delay=200"));
    expect(await stats()).toEqual({ requests: 30, active: 0, peak: 30, aborted: 0 });
    expect(fetches).toHaveLength(30);
    for (const { start, end, status } of fetches) {
      expect(status).toBe(200);
      expect(start).toBeGreaterThanOrEqual(0);
      expect(end - start).toBeGreaterThanOrEqual(195);
      expect(end).toBeLessThanOrEqual(took);
    }
  });

  test("aggregate: five fetches of 100 ms unless told otherwise", async () => {
    expect(JSON.parse(await text("/aggregate")).fetches).toHaveLength(5);
    expect(await stats()).toMatchObject({ requests: 5, peak: 5 });
  });

  test("page: misses, then hits and leaves the upstream alone", async () => {
    const miss = await send("/page/welcome%20home");
    expect([miss.status, miss.headers.get("x-cache")]).toEqual([200, "miss"]);
    expect(miss.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const page = await miss.text();
    expect(page).toContain("<h1>welcome home</h1>");
    // It is stored after the answer.
    await expect.poll(async () => (await send("/page/welcome%20home")).headers.get("x-cache")).toBe("hit");
    await stats("DELETE");
    expect(await text("/page/welcome%20home")).toBe(page);
    expect(await stats()).toMatchObject({ requests: 0 });
  });

  test("page: is stored with a time to live", async () => {
    const before = Date.now() / 1000;
    await text("/page/mortal");
    const list = async () => JSON.parse(await text("/kv?prefix=/page/mortal")).keys;
    await expect.poll(list).toEqual([{ name: "/page/mortal", expiration: expect.any(Number) }]);
    const [{ expiration }] = await list();
    expect(expiration).toBeGreaterThanOrEqual(Math.floor(before) + 60);
    expect(expiration).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000) + 60);
  });

  test("page: nobody can plant one through KV", async () => {
    await put("/kv/%2Fpage%2Fplanted", "<script>alert(1)</script>");
    const response = await send("/page/planted");
    expect(response.headers.get("x-cache")).toBe("miss");
    expect(await response.text()).toContain("<h1>planted</h1>");
  });

  test("sleep: answers no earlier than asked", async () => {
    const start = performance.now();
    expect(await text("/sleep/100")).toBe("awake");
    expect(performance.now() - start).toBeGreaterThanOrEqual(99);
    expect(await text("/sleep/0")).toBe("awake");
  });

  test("deadline: too slow an upstream is a 504, and sees the abort", async () => {
    const response = await send("/deadline?timeout=50&delay=20000");
    await expectRefusal(response, 504, "timed-out", "the deadline passed");
    await expect.poll(() => stats()).toEqual({ requests: 1, active: 0, peak: 1, aborted: 1 });
  });

  test("deadline: an upstream in time is answered", async () => {
    expect(await text("/deadline?timeout=20000&delay=20")).toBe("in time");
    expect(await stats()).toMatchObject({ requests: 1, aborted: 0 });
  });

  test("upper: answers the body in upper case, in any script", async () => {
    const body = "quiet, bitte: größer, été, ёлка, 😀";
    expect(await text("/upper", { method: "POST", body })).toBe(body.toUpperCase());
    expect(await text("/upper", { method: "POST" })).toBe("");
  });

  test("upper: a body over 1 MiB is refused", async () => {
    const most = "a".repeat(1_048_576);
    expect(await text("/upper", { method: "POST", body: most })).toBe(most.toUpperCase());
    const response = await send("/upper", { method: "POST", body: `${most}a` });
    await expectRefusal(response, 413, "too-large", "more than 1048576 bytes");
  });

  test.for([
    ["a stray byte", [0x61, 0xff]],
    ["half a character", [0x61, 0xc3]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
  ] as const)("upper: %s is no text", async ([, bytes]) => {
    const response = await send("/upper", { method: "POST", body: new Uint8Array(bytes) });
    await expectRefusal(response, 400, "bad-request", "the body is not UTF-8");
  });

  test("proxy: hands on path, query, status, headers and body", async () => {
    const echo = await send("/proxy/echo?a=1&b=%20");
    expect([echo.status, echo.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(await echo.json()).toMatchObject({ method: "GET", url: "http://upstream.internal/echo?a=1&b=%20" });
    const failure = await send("/proxy/some/thing?status=503");
    expect([failure.status, await failure.text()]).toEqual([503, "upstream /some/thing\n"]);
    expect((await send("/proxy/?status=204")).status).toBe(204);
  });

  test("proxy: two cookies stay two, in their order", async () => {
    expect((await send("/proxy/cookies")).headers.getSetCookie()).toEqual([
      "first=1; Path=/",
      "second=2; Path=/; Expires=Wed, 01 Jan 2031 00:00:00 GMT",
    ]);
  });

  test("proxy: a redirect is handed on, not followed", async () => {
    const response = await send("/proxy/?redirect=/page/there");
    expect([response.status, response.headers.get("location")]).toEqual([302, "/page/there"]);
    expect(await stats()).toMatchObject({ requests: 1 });
  });

  test("proxy: 20 MB come through byte for byte, with their length", async () => {
    const response = await send("/proxy/file?size=20000000", { headers: { "accept-encoding": "identity" } });
    expect(response.headers.get("content-length")).toBe("20000000");
    const line = Buffer.from("0123456789abcde\n");
    expect(Buffer.from(await response.bytes()).equals(Buffer.alloc(20_000_000, line))).toBe(true);
  });

  test("proxy: a client that goes away in the middle of a body ends the upstream's work", async () => {
    const response = await send("/proxy/file?size=200000000", { headers: { "accept-encoding": "identity" } });
    await response.body!.cancel();
    await expect.poll(() => stats()).toEqual({ requests: 1, active: 0, peak: 1, aborted: 1 });
  });

  test("proxy: leads nowhere but to the upstream", async () => {
    const response = await send("/proxy//elsewhere.example/");
    await expectRefusal(response, 403, "forbidden", "http://elsewhere.example is not among the granted origins");
  });

  // Refusals

  test.for([
    ["/nowhere", "there is nothing at /nowhere"],
    ["/hello/", "there is nothing at /hello/"],
    ["/HELLO", "there is nothing at /HELLO"],
    ["/kvx", "there is nothing at /kvx"],
    ["/proxy", "there is nothing at /proxy"],
    ['/"', "there is nothing at /%22"],
  ] as const)("refusals: %s is not there", async ([path, detail]) => {
    await expectRefusal(await send(path), 404, "not-found", detail);
    await expectRefusal(await send(path, { method: "POST" }), 404, "not-found", detail);
  });

  test.for([
    ["POST", "/", "GET, HEAD"],
    ["PUT", "/hello", "GET, HEAD"],
    ["POST", "/kv", "GET, HEAD"],
    ["POST", "/kv/a", "GET, HEAD, PUT, DELETE"],
    ["PATCH", "/kv/a", "GET, HEAD, PUT, DELETE"],
    ["POST", "/aggregate", "GET, HEAD"],
    ["DELETE", "/page/a", "GET, HEAD"],
    ["POST", "/sleep/1", "GET, HEAD"],
    ["POST", "/deadline", "GET, HEAD"],
    ["GET", "/upper", "POST"],
    ["OPTIONS", "/upper", "POST"],
    ["POST", "/proxy/echo", "GET, HEAD"],
  ] as const)("refusals: %s %s is not allowed, and the answer says what is", async ([method, path, allow]) => {
    const response = await send(path, { method });
    expect(response.headers.get("allow")).toBe(allow);
    await expectRefusal(response, 405, "method-not-allowed", `${path} does not take ${method}`);
    expect(await stats()).toMatchObject({ requests: 0 });
  });

  test.for([
    ["/aggregate?n=31", "n is a whole number from 1 to 30"],
    ["/aggregate?n=0", "n is a whole number"],
    ["/aggregate?n=", "n is a whole number"],
    ["/aggregate?n", "n is a whole number"],
    ["/aggregate?n=-1", "n is a whole number"],
    ["/aggregate?n=1.5", "n is a whole number"],
    ["/aggregate?n=0x5", "n is a whole number"],
    ["/aggregate?n=five", "n is a whole number"],
    ["/aggregate?n=4294967297", "n is a whole number"],
    ["/aggregate?n=99999999999999999999999999", "n is a whole number"],
    ["/aggregate?delay=30001", "delay is a whole number from 0 to 30000"],
    ["/aggregate?delay=1e2", "delay is a whole number"],
    ["/deadline?timeout=0", "timeout is a whole number from 1 to 30000"],
    ["/deadline?timeout=soon", "timeout is a whole number"],
    ["/deadline?delay=-5", "delay is a whole number"],
    ["/sleep/", "sleep 0 to 30000 ms"],
    ["/sleep/30001", "sleep 0 to 30000 ms"],
    ["/sleep/-1", "sleep 0 to 30000 ms"],
    ["/sleep/1/2", "sleep 0 to 30000 ms"],
    ["/sleep/%31", "sleep 0 to 30000 ms"],
    ["/kv?limit=0", "limit is a whole number from 1 to 1000"],
    ["/kv?limit=1001", "limit is a whole number"],
    ["/kv?prefix=%", "the query is not percent-encoded UTF-8"],
    ["/kv?prefix=%zz", "the query is not percent-encoded UTF-8"],
    ["/kv?prefix=%ff", "the query is not percent-encoded UTF-8"],
    ["/kv?%c3=%a9", "the query is not percent-encoded UTF-8"],
    ["/kv/%ff", "the path is not percent-encoded UTF-8"],
    ["/kv/%e", "the path is not percent-encoded UTF-8"],
    ["/page/%c3%28", "the path is not percent-encoded UTF-8"],
  ] as const)("refusals: %s is malformed, and the answer says why", async ([path, detail]) => {
    await expectRefusal(await send(path), 400, "bad-request", detail);
    expect(await stats()).toMatchObject({ requests: 0 });
  });

  test("refusals: a prefix over 512 bytes is too large", async () => {
    await expectRefusal(await send(`/kv?prefix=${"a".repeat(513)}`), 413, "too-large", "at most 512 bytes");
  });
});
