// What the platform has unpacked is not called packed any more.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { once } from "node:events";
import { expect, test } from "vitest";
import { fetcher } from "../../hosts/fetcher.ts";

test("fetcher: an unpacked body comes without the headers of the packed one, any other as it is", async () => {
  const packed = gzipSync("hello ".repeat(100));
  const server = createServer(({ url }, response) => {
    const coding = url!.slice(1);
    const head = { "content-encoding": coding, "content-length": packed.length, "set-cookie": ["a=1", "b=2"] };
    response.writeHead(203, head).end(packed);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const unpacked = await fetcher.fetch(`${url}/gzip`, {});
  expect(unpacked.status).toBe(203);
  expect([...unpacked.headers.keys()]).not.toEqual(expect.arrayContaining(["content-encoding"]));
  expect(unpacked.headers.get("content-length")).toBeNull();
  expect(unpacked.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(await unpacked.text()).toBe("hello ".repeat(100));

  const unknown = await fetcher.fetch(`${url}/own`, {});
  expect(unknown.headers.get("content-encoding")).toBe("own");
  expect(new Uint8Array(await unknown.arrayBuffer())).toEqual(new Uint8Array(packed));
  server.close();
});
