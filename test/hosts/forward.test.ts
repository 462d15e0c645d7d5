// What the platform has decoded is not called encoded any more.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Proactor, kv, origin } from "../../src/index.ts";
import { memoryKv } from "../../src/kv-memory.ts";
import { path } from "../../scripts/paths.ts";

const TEXT = "hello ".repeat(100);
const packed = gzipSync(TEXT);

const server = createServer(({ url }, response) => {
  const coding = decodeURIComponent(url!.slice(1));
  const bytes = coding === "gzip, br" ? brotliCompressSync(packed) : packed;
  response.writeHead(203, { "content-encoding": coding, "content-length": bytes.length, "set-cookie": ["a=1", "b=2"] });
  response.end(bytes);
});
let app: Proactor;

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const resources = {
    CACHE: kv(memoryKv()),
    UPSTREAM: origin(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
  };
  app = new Proactor(new WebAssembly.Module(readFileSync(path("build/worker.wasm"))), { resources });
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const proxy = (coding: string): Promise<Response> =>
  app.fetch(new Request(`http://localhost/proxy/${encodeURIComponent(coding)}`));

test.for(["gzip", "x-gzip", "GZIP", "gzip, br"])("forward: a body that came as %s is sent decoded", async (coding) => {
  const response = await proxy(coding);
  expect(response.status).toBe(203);
  expect(response.headers.get("content-encoding")).toBeNull();
  expect(response.headers.get("content-length")).toBeNull();
  expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(await response.text()).toBe(TEXT);
});

test("forward: a coding that the platform does not know stays, with its bytes", async () => {
  const response = await proxy("own");
  expect(response.headers.get("content-encoding")).toBe("own");
  expect(response.headers.get("content-length")).toBe(`${packed.length}`);
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array(packed));
});
