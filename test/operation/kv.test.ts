import { expect, test } from "vitest";
import {
  KV_CACHE_TTL_SECONDS_MIN,
  KV_KEY_BYTES_MAX,
  KV_LIST_COUNT_MAX,
  KV_METADATA_BYTES_MAX,
  KV_SECONDS_MAX,
  KV_TTL_SECONDS_MIN,
  KV_VALUE_BYTES_MAX,
  Status,
} from "../../assembly/abi.ts";
import { memoryKv } from "../../src/node.ts";
import type { KvStore } from "../../src/index.ts";
import { bytesOf, expectBytes } from "../support/bytes.ts";
import { onEachHost, onNodeWithFile, onSimulatedHost, simulatedHost } from "../support/hosts.ts";
import type { TestHost } from "../support/hosts.ts";

const { BadResource, Failed, Invalid, NotFound, NotPermitted, Ok, Quota, RateLimited, TimedOut, TooBig } = Status;

/** Seconds since 1970, in the year 2033. */
const FAR = 2_000_000_000;

const query = (parameters: Record<string, string | number>): string =>
  String(new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)])));

/** Calls a route of the guest with these parameters. */
const call = (host: TestHost, route: string, parameters: Record<string, string | number> = {}) =>
  host.json(`/${route}?${query(parameters)}`);

const putBytes = async (host: TestHost, key: string, body: Uint8Array<ArrayBuffer>) =>
  (await host.fetch(`/put?${query({ key })}`, { method: "POST", body })).json();

/** The keys of a page, as objects. */
function entries(page: Record<string, unknown> & { count: number }) {
  return Array.from({ length: page.count }, (_, index) => ({
    key: page[`key${index}`],
    expiration: page[`expiration${index}`],
    metadata: page[`metadata${index}`],
  }));
}

const keys = (page: Record<string, unknown> & { count: number }): unknown[] => entries(page).map(({ key }) => key);

/** The keys of each case are its own: workerd's namespace outlives it. */
let cases = 0;
const prefix = (): string => `case${++cases}/`;

const behaviour = (host: TestHost): void => {
  // Values.

  test("kv: a value is what was put, as bytes and as text", async () => {
    const key = prefix();
    expect(await putBytes(host, key, bytesOf(1000))).toEqual({ status: Ok });
    await expectBytes(await host.fetch(`/bytes?${query({ key })}`), bytesOf(1000));
    expect(await call(host, "put-text", { key, text: "caf\u00e9 \u{1f642}" })).toEqual({ status: Ok });
    expect(await call(host, "get", { key })).toEqual({
      status: Ok,
      found: true,
      text: "caf\u00e9 \u{1f642}",
      metadata: "",
    });
  });

  test("kv: a key that is not there is NotFound", async () => {
    const missing = { status: NotFound, found: false, text: "", metadata: "" };
    expect(await call(host, "get", { key: prefix() })).toMatchObject(missing);
    expect(await call(host, "get", { key: prefix(), withMetadata: 1 })).toMatchObject(missing);
  });

  test("kv: an empty value is found, and empty", async () => {
    const key = prefix();
    expect(await call(host, "put", { key, size: 0 })).toEqual({ status: Ok });
    expect(await call(host, "get", { key })).toMatchObject({ status: Ok, found: true, text: "" });
    await expectBytes(await host.fetch(`/bytes?${query({ key })}`), new Uint8Array(0));
  });

  test("kv: a put replaces the value, its metadata and its end", async () => {
    const key = prefix();
    await call(host, "put", { key, text: "first", metadata: "1", expiration: FAR });
    await call(host, "put", { key, text: "second" });
    expect(await call(host, "get", { key, withMetadata: 1 })).toMatchObject({ text: "second", metadata: "" });
    expect(entries(await call(host, "list", { prefix: key }))).toEqual([{ key, expiration: 0, metadata: "" }]);
  });

  test("kv: a value of a megabyte goes both ways", async () => {
    const key = prefix();
    expect(await putBytes(host, key, bytesOf(1_000_000))).toEqual({ status: Ok });
    await expectBytes(await host.fetch(`/bytes?${query({ key })}`), bytesOf(1_000_000));
  });

  test.for([100, 100_000])("kv: a buffer of %d bytes may be overwritten once it is submitted", async (size) => {
    const key = prefix();
    await call(host, "changed", { key, size });
    await expectBytes(await host.fetch(`/bytes?${query({ key })}`), new Uint8Array(size).fill(1));
  });

  test("kv: values over the limit are TooBig", async () => {
    const refused = await call(host, "put", { key: prefix(), size: KV_VALUE_BYTES_MAX + 1 });
    expect(refused).toEqual({ status: TooBig, message: `kv: a value has at most ${KV_VALUE_BYTES_MAX} bytes` });
  });

  test("kv: a value of exactly the limit is taken, and read", async () => {
    const key = prefix();
    expect(await call(host, "put", { key, size: KV_VALUE_BYTES_MAX })).toEqual({ status: Ok });
    const value = await (await host.fetch(`/bytes?${query({ key })}`)).bytes();
    expect(value.length).toBe(KV_VALUE_BYTES_MAX);
  });

  test("kv: remove succeeds, whether there was a value or not", async () => {
    const key = prefix();
    await call(host, "put", { key, text: "x" });
    expect(await call(host, "remove", { key })).toEqual({ status: Ok });
    expect(await call(host, "get", { key })).toMatchObject({ status: NotFound });
    expect(await call(host, "remove", { key })).toEqual({ status: Ok });
  });

  // Keys.

  test.for(["a b", "/a/b?c=d#e", "caf\u00e9", "\u{1f642}", "..a", "%2e", "\u0001"])(
    "kv: %j is a key like any other",
    async (name) => {
      const key = prefix() + name;
      expect(await call(host, "put", { key, text: name })).toEqual({ status: Ok });
      expect(await call(host, "get", { key })).toMatchObject({ text: name });
      expect(keys(await call(host, "list", { prefix: key }))).toEqual([key]);
    },
  );

  test.for(["", ".", ".."])("kv: %j is no key", async (key) => {
    const refused = { status: Invalid, message: `kv: "${key}" is no key` };
    expect(await call(host, "get", { key })).toMatchObject(refused);
    expect(await call(host, "put", { key, text: "x" })).toEqual(refused);
    expect(await call(host, "remove", { key })).toEqual(refused);
  });

  test("kv: a key of exactly the limit is taken, one more byte is TooBig", async () => {
    const longest = { bytes: KV_KEY_BYTES_MAX };
    expect(await call(host, "put", { ...longest, text: "x" })).toEqual({ status: Ok });
    expect(await call(host, "get", longest)).toMatchObject({ text: "x" });
    expect((await call(host, "list", longest)).count).toBe(1);
    expect(await call(host, "remove", longest)).toEqual({ status: Ok });
    const tooLong = { bytes: KV_KEY_BYTES_MAX + 1 };
    for (const route of ["get", "put", "remove", "list"]) {
      expect(await call(host, route, { ...tooLong, text: "x" })).toMatchObject({ status: TooBig });
    }
  });

  test("kv: the limit of a key counts bytes, not characters", async () => {
    const key = prefix() + "\u00e9".repeat(KV_KEY_BYTES_MAX / 2);
    expect(await call(host, "get", { key })).toMatchObject({ status: TooBig });
  });

  // Metadata.

  test.for(['{"a":[1,"\u00e9"]}', "1", '"text"', "true", "[]", "0", "false", '""'])(
    "kv: metadata %s comes back as it went",
    async (metadata) => {
      const key = prefix();
      expect(await call(host, "put", { key, text: "value", metadata })).toEqual({ status: Ok });
      const found = await call(host, "get", { key, withMetadata: 1 });
      expect(found).toEqual({ status: Ok, found: true, text: "value", metadata });
      expect(await call(host, "get", { key })).toMatchObject({ text: "value", metadata: "" });
      expect(entries(await call(host, "list", { prefix: key }))).toEqual([{ key, expiration: 0, metadata }]);
    },
  );

  test("kv: metadata of exactly the limit is taken, one more byte is TooBig", async () => {
    const key = prefix();
    expect(await call(host, "put", { key, text: "x", metadataBytes: KV_METADATA_BYTES_MAX })).toEqual({ status: Ok });
    const { metadata } = await call(host, "get", { key, withMetadata: 1 });
    expect(metadata).toHaveLength(KV_METADATA_BYTES_MAX);
    const refused = await call(host, "put", { key, text: "x", metadataBytes: KV_METADATA_BYTES_MAX + 1 });
    expect(refused).toMatchObject({ status: TooBig });
  });

  test.for(["{", "undefined", "'text'"])("kv: metadata %s is no JSON and Invalid", async (metadata) => {
    expect(await call(host, "put", { key: prefix(), text: "x", metadata })).toMatchObject({ status: Invalid });
  });

  // Time.

  test("kv: an expiration is kept", async () => {
    const key = prefix();
    expect(await call(host, "put", { key, text: "x", expiration: FAR })).toEqual({ status: Ok });
    expect(entries(await call(host, "list", { prefix: key }))).toEqual([{ key, expiration: FAR, metadata: "" }]);
  });

  test("kv: a time to live becomes an expiration", async () => {
    const key = prefix();
    const before = await now(host);
    expect(await call(host, "put", { key, text: "x", ttl: 1000, metadata: '{"a":1}' })).toEqual({ status: Ok });
    const after = await now(host);
    const [entry] = entries(await call(host, "list", { prefix: key }));
    expect(entry).toMatchObject({ key, metadata: '{"a":1}' });
    expect(entry!.expiration).toBeGreaterThanOrEqual(before + 1000);
    expect(entry!.expiration).toBeLessThanOrEqual(after + 1000);
  });

  test("kv: a time to live outside the limits is Invalid", async () => {
    const key = prefix();
    for (const ttl of [1, KV_TTL_SECONDS_MIN - 1, KV_SECONDS_MAX + 1]) {
      const message = `kv: expirationTtl is ${KV_TTL_SECONDS_MIN} to ${KV_SECONDS_MAX} seconds`;
      expect(await call(host, "put", { key, text: "x", ttl })).toEqual({ status: Invalid, message });
    }
    expect(await call(host, "put", { key, text: "x", ttl: KV_TTL_SECONDS_MIN })).toEqual({ status: Ok });
  });

  test("kv: an expiration outside the limits is Invalid", async () => {
    const soon = (await now(host)) + KV_TTL_SECONDS_MIN / 2;
    for (const expiration of [1, soon, KV_SECONDS_MAX + 1]) {
      expect(await call(host, "put", { key: prefix(), text: "x", expiration })).toMatchObject({ status: Invalid });
    }
    expect(await call(host, "put", { key: prefix(), text: "x", expiration: KV_SECONDS_MAX })).toEqual({ status: Ok });
  });

  test("kv: a cacheTtl of the least or more is taken, less is Invalid", async () => {
    const key = prefix();
    await call(host, "put", { key, text: "x" });
    expect(await call(host, "get", { key, cacheTtl: KV_CACHE_TTL_SECONDS_MIN })).toMatchObject({ text: "x" });
    const withMetadata = { key, cacheTtl: KV_CACHE_TTL_SECONDS_MIN, withMetadata: 1 };
    expect(await call(host, "get", withMetadata)).toMatchObject({ text: "x" });
    for (const cacheTtl of [1, KV_CACHE_TTL_SECONDS_MIN - 1, KV_SECONDS_MAX + 1]) {
      expect(await call(host, "get", { key, cacheTtl })).toMatchObject({ status: Invalid });
    }
  });

  // Lists.

  test("kv: a list has the keys with the prefix, in the order of their UTF-8 bytes", async () => {
    const at = prefix();
    for (const name of ["b", "\u{1f642}", "a/2", "B", "\ufb01", "a", "\u00e9", "a/1"]) {
      await call(host, "put", { key: at + name, text: "x" });
    }
    const ordered = ["B", "a", "a/1", "a/2", "b", "\u00e9", "\ufb01", "\u{1f642}"];
    expect(keys(await call(host, "list", { prefix: at }))).toEqual(ordered.map((name) => at + name));
    expect(keys(await call(host, "list", { prefix: `${at}a/` }))).toEqual([`${at}a/1`, `${at}a/2`]);
    expect(await call(host, "list", { prefix: `${at}none` })).toEqual({ status: Ok, count: 0, cursor: "" });
  });

  test("kv: a list goes on where its cursor says, until there is none", async () => {
    const at = prefix();
    const names = Array.from({ length: 7 }, (_, index) => `${at}${index}\u00e9\u{1f642}`);
    for (const key of names) await call(host, "put", { key, text: "x" });
    const pages: unknown[][] = [];
    let cursor = "";
    do {
      const page = await call(host, "list", { prefix: at, limit: 3, ...(cursor && { cursor }) });
      expect(page.status).toBe(Ok);
      pages.push(keys(page));
      cursor = page.cursor;
    } while (cursor !== "");
    expect(pages).toEqual([names.slice(0, 3), names.slice(3, 6), names.slice(6)]);
  });

  test("kv: a page that ends with the last key has no cursor", async () => {
    const at = prefix();
    for (const name of ["1", "2"]) await call(host, "put", { key: at + name, text: "x" });
    expect(await call(host, "list", { prefix: at, limit: 2 })).toMatchObject({ count: 2, cursor: "" });
  });

  test("kv: a page of more keys than the limit is Invalid", async () => {
    expect(await call(host, "list", { limit: KV_LIST_COUNT_MAX })).toMatchObject({ status: Ok });
    expect(await call(host, "list", { limit: KV_LIST_COUNT_MAX + 1 })).toMatchObject({ status: Invalid });
  });

  // Rights.

  test("kv: each right permits its operations and no others", async () => {
    const key = prefix();
    const permitted: Record<string, Record<string, Status>> = {
      readOnly: { get: NotFound, put: NotPermitted, remove: NotPermitted, list: NotPermitted },
      writeOnly: { get: NotPermitted, put: Ok, remove: Ok, list: NotPermitted },
    };
    for (const [name, routes] of Object.entries(permitted)) {
      for (const [route, status] of Object.entries(routes)) {
        expect((await call(host, route, { in: name, key, text: "x" })).status, `${route} in ${name}`).toBe(status);
      }
    }
  });

  test.for(["origin", "exchange", "nothing"])(
    "kv: a resource that is no namespace (%s) is BadResource",
    async (name) => {
      for (const route of ["get", "put", "remove", "list"]) {
        expect(await call(host, route, { in: name, key: "a", text: "x" })).toMatchObject({ status: BadResource });
      }
    },
  );
};

/** Seconds since 1970 by the host's clock. */
async function now(host: TestHost): Promise<number> {
  const clock = "simulation" in host ? (host as { simulation: { clock: { now(): number } } }).simulation.clock : Date;
  return Math.floor(clock.now() / 1000);
}

onEachHost("kv", behaviour, { runtimes: ["minimal", "stub"] });
onNodeWithFile("kv", behaviour);

onSimulatedHost(
  "kv",
  (host) => {
    test("kv: a value ends with its time to live", async () => {
      await call(host, "put", { key: "a", text: "x", ttl: KV_TTL_SECONDS_MIN });
      await call(host, "put", { key: "b", text: "x", expiration: 100 });
      await host.simulation.advance((KV_TTL_SECONDS_MIN - 2) * 1000);
      expect(keys(await call(host, "list"))).toEqual(["a", "b"]);
      await host.simulation.advance(10_000);
      expect(await call(host, "get", { key: "a" })).toMatchObject({ status: NotFound });
      expect(keys(await call(host, "list"))).toEqual(["b"]);
      await host.simulation.advance(100_000);
      expect(keys(await call(host, "list"))).toEqual([]);
    });

    test("kv: too many calls are RateLimited, and nothing is written", async () => {
      await call(host, "put", { key: "a", text: "x" });
      host.simulation.faults.kvRateLimited = 1;
      const limited = { status: RateLimited, message: "KV: 429 Too Many Requests" };
      expect(await call(host, "get", { key: "a" })).toMatchObject(limited);
      expect(await call(host, "put", { key: "a", text: "y" })).toEqual(limited);
      expect(await call(host, "remove", { key: "a" })).toEqual(limited);
      expect(await call(host, "list")).toMatchObject(limited);
      host.simulation.faults.kvRateLimited = 0;
      expect(await call(host, "get", { key: "a" })).toMatchObject({ text: "x" });
    });

    test("kv: a deadline ends the wait for the store", async () => {
      for (const route of ["get", "put", "remove", "list"]) {
        const result = await call(host, route, { key: "a", text: "x", timeout: 1 });
        expect(result, route).toMatchObject({ status: TimedOut, message: "the deadline passed" });
      }
    });
  },
  { delay: [10, 10] },
);

test("kv: a value over the host's limit is TooBig, one of exactly the limit is read", async () => {
  const host = await simulatedHost("kv", { limits: { bodyBytes: 1000 } });
  for (const size of [1000, 1001]) await call(host, "put", { key: `${size}`, size, metadata: "1" });
  expect(await call(host, "get", { key: "1000" })).toMatchObject({ status: Ok });
  expect(await call(host, "get", { key: "1001" })).toMatchObject({ status: TooBig });
  expect(await call(host, "get", { key: "1001", withMetadata: 1 })).toMatchObject({ status: TooBig });
});

// What a store says went wrong, in the words that the Workers runtime uses.
test.for([
  ["KV PUT failed: 429 Too Many Requests", RateLimited],
  ["KV PUT failed: 413 Value length of 26214401 exceeds limit of 26214400.", TooBig],
  ["KV PUT failed: 400 Invalid expiration of 1.", Invalid],
  ["KV GET failed: 500 Internal Server Error", Failed],
  ["KV PUT failed: 507 Insufficient Storage: account quota reached", Quota],
  ["something else", Failed],
] as const)("kv: a store that fails with %j", async ([message, status]) => {
  const failing = new Proxy(memoryKv(), { get: () => () => Promise.reject(new Error(message)) }) as KvStore;
  const host = await simulatedHost("kv", { store: failing });
  for (const route of ["get", "put", "remove", "list"]) {
    expect(await call(host, route, { key: "a", text: "x" })).toMatchObject({ status, message });
  }
});

test("kv: a list that is complete has no cursor, whatever the store says", async () => {
  const page = { keys: [{ name: "a" }], list_complete: true, cursor: "more" };
  const host = await simulatedHost("kv", { store: { ...memoryKv(), list: () => Promise.resolve(page) } });
  expect(await call(host, "list")).toMatchObject({ count: 1, cursor: "" });
});

test("kv: a store that throws, or takes for ever, costs no connection", async () => {
  let calls = 0;
  const throwing = new Proxy(memoryKv(), {
    get: () => () => {
      calls++;
      throw new Error("at once");
    },
  }) as KvStore;
  const host = await simulatedHost("kv", { store: throwing });
  for (let i = 0; i < 20; i++) expect(await call(host, "get", { key: "a" })).toMatchObject({ status: Failed });
  expect(calls).toBe(20);
});

test.for([
  ["text", "text"],
  ["a number as text", "5"],
  ["a number", 5],
] as const)("kv: a store that gives %s where bytes are asked for has Failed", async ([, value]) => {
  const store = {
    ...memoryKv(),
    get: async () => value,
    getWithMetadata: async () => ({ value, metadata: null }),
  } as unknown as KvStore;
  const host = await simulatedHost("kv", { store });
  const refused = { status: Failed, text: "" };
  expect(await call(host, "get", { key: "a" })).toMatchObject(refused);
  expect(await call(host, "get", { key: "a", withMetadata: 1 })).toMatchObject(refused);
});
