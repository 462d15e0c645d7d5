import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { NO_BYTES, bytesOf, expectBytes, streamOf } from "../support/bytes.ts";
import { onEachHost, onSimulatedHost } from "../support/hosts.ts";
import type { TestHost } from "../support/hosts.ts";

const { Aborted, BadResource, Cancelled, Closed, Failed, Ok, TimedOut, TooBig } = Status;

const post = (host: TestHost, path: string, body: BodyInit): Promise<Response> =>
  host.fetch(path, { method: "POST", body });

/** A body that begins and does not go on. */
const endless = (): RequestInit =>
  ({
    method: "POST",
    body: new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("begun")) }),
    duplex: "half",
  }) as RequestInit;

const bringing = (chunk: unknown): RequestInit =>
  ({ method: "POST", body: streamOf(chunk), duplex: "half" }) as RequestInit;

onEachHost("read", (host) => {
  test.for([1, 1000, 16_384, 1_000_000])("read: a body of %d bytes", async (size) => {
    const body = bytesOf(size);
    await expectBytes(await post(host, "/bytes", body), body);
  });

  test("read: a body that is empty, and a request without one, are no bytes", async () => {
    expect(await (await post(host, "/bytes", "")).text()).toBe("");
    expect(await (await host.fetch("/bytes")).text()).toBe("");
  });

  test("read: text is decoded from UTF-8", async () => {
    const text = "na\u00efve \u65e5\u672c\u8a9e \u{1f642}\u0000end";
    const result = await (await post(host, "/text", text)).json();
    expect(result).toEqual({ status: Ok, text, units: text.length, isText: true });
  });

  test("read: bytes that are not UTF-8 are no text, and are replaced in it", async () => {
    const result = await (await post(host, "/text", new Uint8Array([0x61, 0xff, 0xc3]))).json();
    expect(result).toEqual({ status: Ok, text: "a\ufffd\ufffd", units: 3, isText: false });
  });

  test("read: a body of exactly the limit is read, one more byte is TooBig", async () => {
    expect(await (await post(host, "/bytes?max=1000", bytesOf(1000))).bytes()).toHaveLength(1000);
    const refused = await (await post(host, "/bytes?max=1000", bytesOf(1001))).json();
    expect(refused).toEqual({ status: TooBig, message: "the body has more than 1000 bytes" });
  });

  test("read: a second time is Closed", async () => {
    expect(await (await post(host, "/twice", "once")).json()).toEqual({ first: Ok, second: Closed });
    expect(await host.json("/fetched-twice")).toEqual({ first: Ok, second: Closed });
  });

  test("read: a body is read or sent on, not both", async () => {
    const first = await (await post(host, "/read-then-send", "once")).json();
    expect(first).toEqual({ read: Ok, send: Closed });
    expect(await (await post(host, "/send-then-read", "once")).json()).toMatchObject({ status: Closed });
  });

  test("read: the body of a fetched response", async () => {
    await expectBytes(await host.fetch("/fetched?url=/bytes/100000"), bytesOf(100_000));
    expect(await (await host.fetch("/fetched?url=/status/204")).text()).toBe("");
    expect(await host.json("/fetched?url=/bytes/100000&max=99999")).toMatchObject({ status: TooBig });
  });

  test("read: long after the request came", async () => {
    expect(await (await post(host, "/late", "late")).text()).toBe("late");
  });

  test("read: what has no body is BadResource", async () => {
    for (const path of ["/resource?number=0", "/resource?number=1000000", "/grant"]) {
      const message = expect.stringContaining("is no exchange or body of this context");
      expect(await host.json(path)).toEqual({ status: BadResource, message });
    }
  });

  test("read: one that failed has neither text nor bytes, only a message", async () => {
    expect(await (await host.fetch("/failed")).text()).toBe(`${BadResource}  0 false`);
  });

  test("read: the deadline ends a read whose body does not go on, and lets go of it", async () => {
    expect(await host.json("/fetched?url=/endless&timeout=20")).toMatchObject({ status: TimedOut });
  });

  test("read: a body that breaks off is Aborted", async () => {
    expect(await host.json("/fetched?url=/broken-body")).toMatchObject({ status: Aborted });
  });
});

onSimulatedHost("read", (host) => {
  test.for(NO_BYTES)("read: a body that brings %s is Failed", async ([, chunk]) => {
    const message = "the body is not bytes";
    expect(await host.json("/bytes", bringing(chunk))).toEqual({ status: Failed, message });
  });

  test.for([Buffer.from("hi"), runInNewContext("new Uint8Array([104, 105])")])(
    "read: a body of a program's own bytes, from another realm too",
    async (chunk) => {
      expect(await (await host.fetch("/bytes", bringing(chunk))).text()).toBe("hi");
    },
  );

  test("read: the deadline ends a read whose client does not go on", async () => {
    expect(await host.json("/bytes?timeout=20", endless())).toMatchObject({ status: TimedOut });
  });

  test("read: a cancel ends a read whose client does not go on", async () => {
    expect(await host.json("/cancelled", endless())).toMatchObject({ status: Cancelled });
  });
});

onSimulatedHost(
  "read",
  (host) => {
    test("read: the host's limit holds where the guest gives none, or a larger one", async () => {
      expect(await (await post(host, "/bytes", bytesOf(2000))).bytes()).toHaveLength(2000);
      expect(await (await post(host, "/bytes", bytesOf(2001))).json()).toMatchObject({ status: TooBig });
      expect(await (await post(host, "/bytes?max=3000", bytesOf(2001))).json()).toMatchObject({ status: TooBig });
    });
  },
  { limits: { bodyBytes: 2000 } },
);
