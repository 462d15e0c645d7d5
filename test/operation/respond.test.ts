import { expect, test } from "vitest";
import { PAIR_COUNT_MAX, Status } from "../../assembly/abi.ts";
import { origin } from "../../src/index.ts";
import { bytesOf, expectBytes } from "../support/bytes.ts";
import { expectNothingLeft, onEachHost, onSimulatedHost, simulatedHost } from "../support/hosts.ts";
import type { TestHost } from "../support/hosts.ts";

const { BadResource, Closed, Invalid, TooBig } = Status;

const behaviour = (host: TestHost): void => {
  test.for([200, 201, 404, 418, 500, 599])("respond: %d and a text", async (status) => {
    const response = await host.fetch(`/text?status=${status}&text=caf%C3%A9+%F0%9F%99%82`);
    expect([response.status, await response.text()]).toEqual([status, "caf\u00e9 \u{1f642}"]);
  });

  test.for([204, 205, 304])("respond: %d has no body", async (status) => {
    const response = await host.fetch(`/text?status=${status}`);
    expect([response.status, await response.text()]).toEqual([status, ""]);
    const refused = await host.json(`/asked?status=${status}&text=body`);
    expect(refused).toEqual({ status: Invalid, message: `respond: a response with status ${status} has no body` });
  });

  test.for([0, 100, 199, 600, 0xffff_ffff])("respond: %d is no status of a response", async (status) => {
    const result = await host.json(`/asked?status=${status}&text=body`);
    expect(result).toEqual({ status: Invalid, message: `respond: ${status} is no status from 200 to 599` });
  });

  test.for([0, 1, 256, 1024, 1025, 1_000_000])("respond: a body of %d bytes", async (size) => {
    await expectBytes(await host.fetch(`/bytes?n=${size}`), bytesOf(size));
  });

  test("respond: a view's part of its buffer", async () => {
    await expectBytes(await host.fetch("/view"), bytesOf(600, 500));
  });

  test.for([100, 100_000])("respond: %d bytes may be overwritten right after", async (size) => {
    await expectBytes(await host.fetch(`/changed?n=${size}`), bytesOf(size));
  });

  // A head that comes again is not read again.
  test.for([1, 2, 3])("respond: headers keep repeated names, and set-cookie its order; time %d", async () => {
    const { status, headers } = await host.fetch("/headers");
    expect(status).toBe(201);
    expect(headers.getSetCookie()).toEqual(["b=2; Path=/", "a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT"]);
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(headers.get("x-repeated")).toBe("one, two");
    expect(headers.get("x-empty")).toBe("");
  });

  test("respond: the same headers with another status, again and again", async () => {
    for (const status of [200, 200, 200, 404, 200, 404, 404, 404, 500]) {
      const response = await host.fetch(`/text?status=${status}&text=${status}`);
      expect([response.status, await response.text()]).toEqual([status, `${status}`]);
    }
  });

  test("respond: an answer whose headers its caller changes has no part in the next", async () => {
    for (let time = 0; time < 4; time++) {
      const { headers } = await host.fetch("/headers");
      expect(headers.get("x-caller")).toBeNull();
      try {
        headers.set("x-caller", "was here");
      } catch {
        // What came over the network cannot be changed.
      }
    }
  });

  test.for([
    ["a name with a space", "name=x%20y&value=1"],
    ["a line break in a value", "name=x&value=a%0Ab"],
    ["no name", "name=&value=1"],
  ] as const)("respond: %s is Invalid", async ([, query]) => {
    for (let time = 0; time < 3; time++) expect(await host.json(`/asked?${query}`)).toMatchObject({ status: Invalid });
  });

  test("respond: more headers than the limit are TooBig", async () => {
    expect(await host.json(`/asked?headers=${PAIR_COUNT_MAX + 1}`)).toMatchObject({ status: TooBig });
  });

  test("respond: the second answer completes with Closed and changes nothing", async () => {
    expect(await (await host.fetch("/twice")).text()).toBe("the first");
    await host.ended();
    expect(await host.json("/last")).toMatchObject({ status: Closed });
  });

  test("respond: a second answer that nobody waits for is reported", async () => {
    expect(await (await host.fetch("/twice-unheard")).text()).toBe("the first");
    await host.ended();
    expect(await host.takeReports()).toMatchObject([{ kind: "unhandled", operation: "respond", status: Closed }]);
  });

  test("respond: what is no exchange of this context is BadResource", async () => {
    for (const query of ["resource=1000000", "resource=0", "to-grant"]) {
      const message = expect.stringContaining("is no exchange of this context");
      expect(await host.json(`/asked?${query}`)).toEqual({ status: BadResource, message });
    }
  });

  test("respond: a body that is no resource is BadResource, one beside bytes is Invalid", async () => {
    expect(await host.json("/asked?body=1000000")).toMatchObject({ status: BadResource });
    expect(await host.json("/asked?own-body&text=x")).toMatchObject({ status: Invalid });
    expect(await host.json("/asked?own-body&status=204")).toMatchObject({ status: Invalid });
  });

  test.for([
    ["/bad-status", "respond: 99 is no status from 200 to 599"],
    ["/bad-header", "header"],
    ["/forward-read", "fetch it without withBody()"],
  ] as const)("respond: %s is refused; if no other answer comes, the owner learns why", async ([route, why]) => {
    const response = await host.fetch(route);
    const detail = "The answer was refused, and no other came.";
    expect([response.status, await response.json()]).toEqual([500, { error: "unanswered", detail }]);
    const [unhandled, unanswered, ...others] = await host.takeReports();
    expect(unhandled).toMatchObject({ kind: "unhandled", operation: "respond" });
    expect(unanswered).toMatchObject({ kind: "unanswered", operation: "respond" });
    for (const { message } of [unhandled!, unanswered!]) expect(message).toContain(why);
    expect(unanswered!.message).toContain(detail);
    expect(others).toEqual([]);
  });

  test("respond: only a fetched response can be forwarded", async () => {
    const message = expect.stringContaining("respond: only a response whose body stays on the host can be forwarded");
    expect(await host.json("/asked?forward")).toEqual({ status: BadResource, message });
    expect(await host.json("/asked?forward&own-body")).toEqual({ status: BadResource, message });
  });

  test("respond: forwards status, headers and body of a response", async () => {
    const response = await host.fetch("/forward?url=/status/418");
    expect([response.status, await response.text()]).toEqual([418, "status 418"]);
    const cookies = await host.fetch("/forward?url=/cookies");
    expect(cookies.headers.getSetCookie()).toEqual([
      "first=1; Path=/",
      "second=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT",
    ]);
    expect(cookies.headers.get("x-repeated")).toBe("one, two");
    expect(await cookies.text()).toBe("two cookies");
  });

  test("respond: headers of the guest are added to those it forwards", async () => {
    const response = await host.fetch("/forward?url=/cookies&add");
    const { headers } = response;
    expect(headers.get("x-added")).toBe("by the guest");
    expect(headers.get("content-type")).toBe("text/plain");
    expect(headers.getSetCookie()).toHaveLength(3);
    expect(await response.text()).toBe("two cookies");
  });

  test.for([204, 205, 304])("respond: forwards %d, which has no body, with and without headers", async (status) => {
    expect((await host.fetch(`/forward?url=/status/${status}`)).status).toBe(status);
    expect((await host.fetch(`/forward?url=/status/${status}&add`)).status).toBe(status);
  });

  test("respond: forwards 20 MB without a byte of them in the guest", async () => {
    const size = 20_000_000;
    const { pages } = await host.json("/memory");
    await expectBytes(await host.fetch(`/forward?url=/bytes/${size}`), bytesOf(size));
    // A page at most, for what requests leave behind; the body would take 306.
    expect((await host.json("/memory")).pages).toBeLessThanOrEqual(pages + 1);
  });

  test.for(["", "&forward"])("respond: headers that are refused leave the body for another attempt%s", async (how) => {
    expect(await (await host.fetch(`/refused?url=/status/200${how}`)).text()).toBe("status 200");
    expect(await (await host.fetch(`/refused?url=/endless&leave${how}`)).text()).toBe("left");
  });

  test("respond: a response can be forwarded once", async () => {
    expect(await (await host.fetch("/forward-twice")).text()).toBe("status 200");
    await host.ended();
    expect(await host.json("/last")).toMatchObject({ status: Closed });
  });

  test("respond: streams a response's body under a head of its own", async () => {
    const response = await host.fetch("/stream?url=/bytes/100000&status=203");
    expect([response.status, response.headers.get("x-kind")]).toEqual([203, "streamed"]);
    expect(await response.bytes()).toHaveLength(100_000);
  });

  test("respond: streams the request's body back", async () => {
    const body = bytesOf(300_000);
    await expectBytes(await host.fetch("/echo", { method: "POST", body }), body);
  });

  test("respond: a fetch that failed is forwarded as 502, one that took too long as 504", async () => {
    expect((await host.fetch("/forward?url=/broken")).status).toBe(502);
    expect((await host.fetch("/timeout")).status).toBe(504);
  });

  test("respond: a response that nobody reads is broken off at the end of its context", async () => {
    expect(await (await host.fetch("/discard?url=/endless")).text()).toBe("200");
  });
};

onEachHost("respond", behaviour, { runtimes: ["minimal", "stub"] });

onSimulatedHost("respond", (host) => {
  test("respond: a client that goes away breaks off what is forwarded to it", async () => {
    const response = await host.fetch("/forward?url=/endless");
    expect(host.openTransfers()).toBe(1);
    await response.body!.cancel();
    expect(host.openTransfers()).toBe(0);
  });

  test("respond: a body that breaks off while it is forwarded breaks the response", async () => {
    const response = await host.fetch("/forward?url=/broken-body");
    await expect(response.text()).rejects.toThrow("broke");
  });
});

test("respond: a response whose status cannot be copied takes no headers, and is let go of", async () => {
  let cancelled = 0;
  const body = new ReadableStream({ cancel: () => void cancelled++ });
  // As a network brings it; nobody can make such a response.
  const upstream = { status: 799, headers: new Headers(), body, bodyUsed: false } as Response;
  const host = await simulatedHost("respond", {
    grants: () => ({ API: origin("http://one.test", { fetcher: { fetch: async () => upstream } }) }),
  });
  expect((await host.fetch("/forward?url=/&add")).status).toBe(500);
  await host.ended();
  expect(cancelled).toBe(1);
  const message = "respond: 799 is no status from 200 to 599";
  expect(await host.takeReports()).toMatchObject([
    { kind: "unhandled", operation: "respond", status: Invalid, message },
    { kind: "unanswered", operation: "respond" },
  ]);
  await expectNothingLeft(host);
});
