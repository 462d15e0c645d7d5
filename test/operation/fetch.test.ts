import { expect, test } from "vitest";
import { RedirectMode, Status } from "../../assembly/abi.ts";
import { origin } from "../../src/index.ts";
import { NO_BYTES, bytesOf, expectBytes, streamOf } from "../support/bytes.ts";
import { eventually, expectNothingLeft, onEachHost, onSimulatedHost, simulatedHost } from "../support/hosts.ts";
import type { TestHost } from "../support/hosts.ts";

const { Aborted, BadResource, Failed, Invalid, Network, NotPermitted, Ok, Redirect, TimedOut, TooBig } = Status;

/** What the guest is to fetch. `headers` go out in this order. */
interface Asked {
  url: string;
  method?: string;
  body?: string;
  headers?: readonly (readonly [string, string])[];
  redirect?: RedirectMode;
  max?: number;
  timeout?: number;
  grant?: number;
}

function query({ headers = [], ...rest }: Asked): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(rest)) parameters.set(name, String(value));
  headers.forEach(([name, value], index) => {
    parameters.set(`name${index + 1}`, name);
    parameters.set(`value${index + 1}`, value);
  });
  return String(parameters);
}

const ask = (host: TestHost, asked: Asked) => host.json(`/fetch?${query(asked)}`);

/** What the upstream's /echo was sent. */
async function echo(host: TestHost, asked: Omit<Asked, "max">) {
  const { status, text } = await ask(host, { ...asked, max: 0 });
  expect(status).toBe(Ok);
  const { headers, ...rest } = JSON.parse(text);
  return { ...rest, headers: new Headers(headers) };
}

const behaviour = (host: TestHost): void => {
  // The request.

  test("fetch: a path is fetched at the first granted origin, an absolute URL at its own", async () => {
    const [one, two] = host.origins;
    expect(await echo(host, { url: "/echo?a=1" })).toMatchObject({ method: "GET", url: `${one}/echo?a=1`, body: "" });
    expect(await echo(host, { url: `${two}/echo` })).toMatchObject({ url: `${two}/echo` });
  });

  test.for(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("fetch: sends a %s with its body", async (method) => {
    const sent = await echo(host, { url: "/echo", method, body: "caf\u00e9 \u{1f642}" });
    expect(sent).toMatchObject({ method, body: "caf\u00e9 \u{1f642}" });
  });

  test("fetch: the answer to a HEAD has headers and no body", async () => {
    const result = await ask(host, { url: "/cookies", method: "HEAD", max: 0 });
    expect(result).toMatchObject({ status: Ok, code: 200, type: "text/plain", text: "" });
    expect(host.upstream.seen).toEqual(["HEAD /cookies"]);
  });

  test("fetch: sends its headers, repeated names too", async () => {
    const { headers } = await echo(host, {
      url: "/echo",
      headers: [
        ["X-One", "1"],
        ["x-repeated", "first"],
        ["x-repeated", "second"],
        ["x-empty", ""],
      ],
    });
    expect(headers.get("x-one")).toBe("1");
    expect(headers.get("x-repeated")).toBe("first, second");
    expect(headers.get("x-empty")).toBe("");
  });

  test("fetch: the method may be set after the headers", async () => {
    const { method, headers } = JSON.parse((await host.json("/method-last")).text);
    expect([method, new Headers(headers).get("x-one"), new Headers(headers).get("x-two")]).toEqual(["PUT", "1", "2"]);
  });

  test.for([
    ["a method that HTTP does not allow", { url: "/echo", method: "GET ME" }],
    ["no method", { url: "/echo", method: "" }],
    ["a CONNECT", { url: "/echo", method: "CONNECT" }],
    ["a trace", { url: "/echo", method: "trace" }],
    ["a GET with a body", { url: "/echo", body: "x" }],
    ["a HEAD with a body", { url: "/echo", method: "HEAD", body: "x" }],
    ["a header's name with a space", { url: "/echo", headers: [["x y", "1"]] }],
    ["a header without a name", { url: "/echo", headers: [["", "1"]] }],
    ["a header's value with a line break", { url: "/echo", headers: [["x", "a\r\nb: c"]] }],
    ["an unknown redirect mode", { url: "/echo", redirect: 3 }],
    ["a URL that is none", { url: "http://[" }],
    ["a user name in the URL", { url: "http://user@one.test/echo" }],
    ["a password in the URL", { url: "http://:secret@one.test/echo" }],
  ] as const)("fetch: %s is Invalid, and nothing is sent", async ([, asked]) => {
    expect(await ask(host, asked as Asked)).toMatchObject({ status: Invalid });
    expect(host.upstream.seen).toEqual([]);
  });

  test.for([
    "https://elsewhere.test/echo",
    "//elsewhere.test/echo",
    "\\\\elsewhere.test/echo",
    "data:text/plain,hello",
    "file:///etc/hostname",
    "http://one.test.elsewhere.test/",
  ])("fetch: %s was not granted and is NotPermitted", async (url) => {
    expect(await ask(host, { url })).toMatchObject({ status: NotPermitted });
    expect(host.upstream.seen).toEqual([]);
  });

  test("fetch: another port or scheme of a granted host is NotPermitted", async () => {
    const [one] = host.origins;
    const { hostname } = new URL(one);
    expect(await ask(host, { url: `http://${hostname}:1/` })).toMatchObject({ status: NotPermitted });
    expect(await ask(host, { url: one.replace("http:", "https:") })).toMatchObject({ status: NotPermitted });
    // The origin of such a URL is that of what it wraps.
    expect(await ask(host, { url: `blob:${one}/echo` })).toMatchObject({ status: NotPermitted });
  });

  test("fetch: what was not granted as origins is BadResource", async () => {
    expect(await ask(host, { url: "/echo", grant: 0 })).toMatchObject({ status: BadResource });
    expect(await ask(host, { url: "/echo", grant: 1_000_000 })).toMatchObject({ status: BadResource });
    expect(await host.json("/kv-as-origin")).toMatchObject({ status: BadResource });
  });

  test("fetch: streams the request's body on, without a byte of it in the guest", async () => {
    const body = bytesOf(3_000_000);
    const { pages } = await host.json("/memory");
    const response = await host.fetch("/upload?url=/mirror&method=POST&own-body", { method: "POST", body });
    await expectBytes(response, body);
    // A page at most, for what requests leave behind; the body would take 46.
    expect((await host.json("/memory")).pages).toBeLessThanOrEqual(pages + 1);
  });

  test("fetch: streams one response's body into another request", async () => {
    await expectBytes(await host.fetch("/pipe?from=/bytes/300000"), bytesOf(300_000));
  });

  test("fetch: bytes beside a streamed body are Invalid, a body that was taken is Closed", async () => {
    const init = { method: "POST", body: "x" };
    const both = await host.json("/fetch?url=/echo&method=POST&own-body&body=y", init);
    expect(both).toMatchObject({ status: Invalid });
    const twice = await host.json("/twice?url=/mirror&method=POST&own-body", init);
    expect(twice).toEqual({ ok: 1, cancelled: 0, failed: 1 });
  });

  test("fetch: one value may be submitted again, changed in between", async () => {
    expect(await host.json("/twice?url=/echo&method=POST&body=x")).toEqual({ ok: 2, cancelled: 0, failed: 0 });
    expect(host.upstream.seen).toEqual(["POST /echo", "POST /echo"]);
  });

  test("fetch: a body that was not asked for is no empty one", async () => {
    expect((await host.fetch("/forgotten")).status).toBe(500);
    const message = "this response's body stayed on the host: fetch it withBody(), or forward it";
    expect(await host.takeReports()).toMatchObject([{ kind: "trap", message }]);
  });

  // The response.

  test.for([200, 404, 500, 503])("fetch: %d is a success, with the status beside it", async (code) => {
    const result = await ask(host, { url: `/status/${code}`, max: 0 });
    expect(result).toMatchObject({ status: Ok, code, left: false, text: `status ${code}` });
  });

  test("fetch: the completion carries the headers, repeated cookies one by one", async () => {
    const { headers, type } = await ask(host, { url: "/cookies" });
    const cookies = headers.filter(([name]: [string]) => name === "set-cookie");
    expect(cookies).toEqual([
      ["set-cookie", "first=1; Path=/"],
      ["set-cookie", "second=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT"],
    ]);
    expect(type).toBe("text/plain");
    expect(new Headers(headers).get("x-repeated")).toBe("one, two");
  });

  test("fetch: without `withBody` the body stays with the host until it is read", async () => {
    expect(await ask(host, { url: "/status/200" })).toMatchObject({ left: true, text: "" });
    expect(await (await host.fetch("/read-later?url=/status/200")).text()).toBe("status 200");
  });

  test("fetch: a response without a body has none, however it is asked for", async () => {
    expect(await ask(host, { url: "/status/204", max: 0 })).toMatchObject({ code: 204, text: "" });
    expect(await (await host.fetch("/read-later?url=/status/204")).text()).toBe("");
  });

  // Without a content-length, and with one.
  test.for(["/bytes", "/stated"])(
    "fetch: exactly the limit of %s comes along, one more byte is TooBig",
    async (from) => {
      await expectBytes(await host.fetch(`/bytes?url=${from}/1000&max=1000`), bytesOf(1000));
      const refused = await ask(host, { url: `${from}/1001`, max: 1000 });
      expect(refused).toEqual({ status: TooBig, message: "the body has more than 1000 bytes" });
    },
  );

  test.for(["/bytes", "/stated"])("fetch: a megabyte of %s comes along", async (from) => {
    await expectBytes(await host.fetch(`/bytes?url=${from}/1000000&max=0`), bytesOf(1_000_000));
  });

  test("fetch: one that failed has no status, no headers and no body", async () => {
    expect(await host.json("/failed")).toEqual({ headers: 0, type: null, text: "", bytes: 0, code: 0 });
  });

  // Redirects.

  test.for([301, 302, 303, 307, 308])("fetch: follows a %d, to a path or to another granted origin", async (code) => {
    const [one, two] = host.origins;
    expect(await echo(host, { url: `/redirect/${code}?to=/echo` })).toMatchObject({
      method: "GET",
      url: `${one}/echo`,
    });
    expect(await echo(host, { url: `/redirect/${code}?to=${two}/echo` })).toMatchObject({ url: `${two}/echo` });
  });

  test.for([
    [301, "GET", ""],
    [302, "GET", ""],
    [303, "GET", ""],
    [307, "POST", "body"],
    [308, "POST", "body"],
  ] as const)("fetch: a POST that meets a %d goes on as %s", async ([code, method, body]) => {
    const headers = [
      ["content-type", "text/x-test"],
      ["x-kept", "yes"],
    ] as const;
    const sent = await echo(host, { url: `/redirect/${code}?to=/echo`, method: "POST", body: "body", headers });
    expect(sent).toMatchObject({ method, body });
    expect(sent.headers.get("x-kept")).toBe("yes");
    expect(sent.headers.get("content-type")).toBe(method === "GET" ? null : "text/x-test");
  });

  test.for([
    [301, "PUT"],
    [302, "PUT"],
    [303, "GET"],
  ] as const)("fetch: a PUT that meets a %d goes on as %s", async ([code, method]) => {
    expect(await echo(host, { url: `/redirect/${code}?to=/echo`, method: "PUT", body: "x" })).toMatchObject({ method });
  });

  test("fetch: a HEAD that meets a 303 stays a HEAD", async () => {
    await ask(host, { url: "/redirect/303?to=/cookies", method: "HEAD" });
    expect(host.upstream.seen).toEqual(["HEAD /redirect/303?to=/cookies", "HEAD /cookies"]);
  });

  test("fetch: a redirect knows a method however it is written", async () => {
    expect(await echo(host, { url: "/redirect/302?to=/echo", method: "post", body: "body" })).toMatchObject({
      method: "GET",
      body: "",
    });
    await ask(host, { url: "/redirect/303?to=/cookies", method: "head" });
    expect(host.upstream.seen.slice(2)).toEqual(["HEAD /redirect/303?to=/cookies", "HEAD /cookies"]);
  });

  test("fetch: what was meant for one origin does not travel to another", async () => {
    const headers = [
      ["authorization", "Bearer secret"],
      ["cookie", "secret=1"],
      ["proxy-authorization", "Basic c2VjcmV0"],
      ["x-other", "kept"],
    ] as const;
    const [one, two] = host.origins;
    const near = await echo(host, { url: `/redirect/302?to=${one}/echo`, headers });
    expect(near.headers.get("authorization")).toBe("Bearer secret");
    const far = await echo(host, { url: `/redirect/302?to=${two}/echo`, headers });
    for (const name of ["authorization", "cookie", "proxy-authorization"]) expect(far.headers.get(name)).toBeNull();
    expect(far.headers.get("x-other")).toBe("kept");
  });

  test.for(["http://elsewhere.test/", "//elsewhere.test/", "data:text/plain,hello", "file:///etc/hostname"])(
    "fetch: a redirect to %s, which was not granted, is NotPermitted",
    async (to) => {
      const result = await ask(host, { url: `/redirect/302?to=${encodeURIComponent(to)}` });
      expect(result).toMatchObject({ status: NotPermitted });
      expect(host.upstream.seen).toHaveLength(1);
    },
  );

  test("fetch: a redirect to what is no URL, or names a user, is refused as a redirect", async () => {
    for (const to of ["http://[", `http://user@${new URL(host.origins[0]).host}/echo`]) {
      const result = await ask(host, { url: `/redirect/302?to=${encodeURIComponent(to)}` });
      expect(result).toMatchObject({ status: Redirect });
    }
  });

  test("fetch: mode Manual gives the redirect itself", async () => {
    const result = await ask(host, { url: "/redirect/302?to=/echo", redirect: RedirectMode.Manual, max: 0 });
    expect(result).toMatchObject({ status: Ok, code: 302, text: "look there" });
    expect(new Headers(result.headers).get("location")).toBe("/echo");
    expect(host.upstream.seen).toHaveLength(1);
  });

  test("fetch: mode Error refuses a redirect, and nothing else", async () => {
    const refused = await ask(host, { url: "/redirect/302?to=/echo", redirect: RedirectMode.Error });
    expect(refused).toEqual({ status: Redirect, message: "fetch: the response is a redirect" });
    expect(await ask(host, { url: "/status/200", redirect: RedirectMode.Error })).toMatchObject({ status: Ok });
  });

  test("fetch: a 3xx that leads nowhere is a response like any other", async () => {
    expect(await ask(host, { url: "/status/302" })).toMatchObject({ status: Ok, code: 302 });
    expect(await ask(host, { url: "/status/304" })).toMatchObject({ status: Ok, code: 304 });
    expect(await ask(host, { url: "/redirect/300?to=/echo" })).toMatchObject({ status: Ok, code: 300 });
  });

  test("fetch: follows twenty redirects and not one more", async () => {
    expect(await ask(host, { url: "/loop" })).toEqual({ status: Redirect, message: "fetch: too many redirects" });
    expect(host.upstream.seen).toHaveLength(21);
  });

  test("fetch: a streamed body is not sent a second time", async () => {
    const init = { method: "POST", body: "x" };
    const again = await host.json("/fetch?url=/redirect/307?to=/echo&method=POST&own-body", init);
    expect(again).toEqual({ status: Redirect, message: "fetch: a streamed body cannot be sent again" });
    const got = await host.json("/fetch?url=/redirect/303?to=/echo&method=POST&own-body&max=0", init);
    expect(JSON.parse(got.text)).toMatchObject({ method: "GET", body: "" });
  });

  // What goes wrong.

  test("fetch: a connection that breaks before the response is a Network error", async () => {
    expect(await ask(host, { url: "/broken" })).toMatchObject({ status: Network });
  });

  test.for(["/broken-body", "/cut-off"])("fetch: a body that breaks off, as %s does, is Aborted", async (url) => {
    expect(await ask(host, { url, max: 0 })).toMatchObject({ status: Aborted });
  });

  test.for([
    ["the response", { url: "/never", timeout: 50 }],
    ["the body", { url: "/endless", timeout: 50, max: 0 }],
    ["a body with a content-length", { url: "/stalled", timeout: 50, max: 0 }],
  ] as const)("fetch: the deadline ends the wait for %s, and the upstream sees it", async ([, asked]) => {
    expect(await ask(host, asked)).toEqual({ status: TimedOut, message: "the deadline passed" });
    await eventually(() => expect(host.openTransfers()).toBe(0));
    expect(host.aborted()).toBe(host.upstream.seen.length);
  });

  test("fetch: the deadline does not reach what is left with the host", async () => {
    const response = await host.fetch("/upload?url=/bytes/1000000&timeout=10000");
    await expectBytes(response, bytesOf(1_000_000));
  });

  test("fetch: bodies that nobody reads are let go of when the context ends", async () => {
    expect(await ask(host, { url: "/endless" })).toMatchObject({ status: Ok, left: true });
    await host.ended();
    await eventually(() => expect(host.openTransfers()).toBe(0));
  });

  // Connections.

  test("fetch: six wait for their headers at once, not more, and all of twenty complete", async () => {
    // Nobody passes this upstream before six wait there, so fewer would hang.
    expect(await host.json("/many?n=20&url=/barrier/6/20")).toEqual({ ok: 20, cancelled: 0, failed: 0 });
    expect(host.upstream.waitingMost).toBe(6);
  });

  test("fetch: one that is cancelled while it waits for a connection never starts", async () => {
    expect(await host.json("/waiting?after=100")).toEqual({ ok: 1, cancelled: 7, failed: 0 });
    const started = host.upstream.seen.map((line) => Number(line.split("?")[1]));
    expect(started).not.toContain(7);
    expect(started).toContain(8);
  });

  test("fetch: a body that was to be sent, and was not, is let go of", async () => {
    expect(await host.json("/upload-waiting")).toEqual({ ok: 0, cancelled: 7, failed: 0 });
    expect(host.upstream.seen).not.toContain("POST /mirror");
  });
};

onEachHost("fetch", behaviour, { runtimes: ["minimal", "stub"] });

onSimulatedHost("fetch", (host) => {
  test("fetch: a fault of the network is one too", async () => {
    host.simulation.faults.network = 1;
    const result = await ask(host, { url: "/status/200" });
    expect(result).toEqual({ status: Network, message: "fetch: simulated network failure" });
  });

  test("fetch: a content-length that is not true is not believed", async () => {
    expect(await ask(host, { url: "/stated/1001/10", max: 1000 })).toMatchObject({ status: TooBig });
    await expectBytes(await host.fetch("/bytes?url=/stated/1000/10&max=1000"), bytesOf(1000));
    await expectBytes(await host.fetch("/bytes?url=/stated/10/999&max=1000"), bytesOf(10));
  });

  test("fetch: a body that the simulation breaks is Aborted", async () => {
    host.simulation.faults.bodyBroken = 1;
    expect(await ask(host, { url: "/bytes/100000", max: 0 })).toMatchObject({ status: Aborted });
  });

  test("fetch: of an abort that is ignored nothing is left", async () => {
    host.simulation.faults.abortIgnored = 1;
    for (const asked of [{ url: "/bytes/100000" }, { url: "/bytes/100000", max: 0 }, { url: "/endless", max: 0 }]) {
      expect(await ask(host, { ...asked, timeout: 1 })).toMatchObject({ status: TimedOut });
    }
    await host.ended();
    expect(host.openTransfers()).toBe(0);
  });

  test("fetch: a redirect whose operation has ended is not followed", async () => {
    host.simulation.faults.abortIgnored = 1;
    expect(await ask(host, { url: "/redirect/302?to=/echo", timeout: 1 })).toMatchObject({ status: TimedOut });
    await host.ended();
    expect(host.upstream.seen).toEqual(["GET /redirect/302?to=/echo"]);
  });
});

// Calls of the store and the network take 10 ms each here, no more and no less.
onSimulatedHost(
  "fetch",
  (host) => {
    test("fetch: six take the time of one, seven the time of two", async () => {
      const { clock } = host.simulation;
      await host.json("/many?n=6&url=/slow/90");
      expect(clock.now()).toBe(100);
      await host.json("/many?n=7&url=/slow/90");
      expect(clock.now()).toBe(300);
    });

    test("fetch: calls of KV take connections too", async () => {
      expect(await host.json("/kv-beside")).toEqual({ ok: 6, cancelled: 0, failed: 6 });
      expect([host.simulation.clock.now(), host.simulation.fetchingMost]).toEqual([20, 3]);
    });

    test("fetch: the deadline counts from the submission, the wait for a connection included", async () => {
      expect(await ask(host, { url: "/slow/90", timeout: 99 })).toMatchObject({ status: TimedOut });
      expect(host.simulation.clock.now()).toBe(99);
      expect(await ask(host, { url: "/slow/90", timeout: 101 })).toMatchObject({ status: Ok });
    });
  },
  { delay: [10, 10] },
);

onSimulatedHost(
  "fetch",
  (host) => {
    test("fetch: the host's limits hold where the guest gives none, or larger ones", async () => {
      expect(await ask(host, { url: "/bytes/2001", max: 0 })).toMatchObject({ status: TooBig });
      expect(await ask(host, { url: "/bytes/2001", max: 5000 })).toMatchObject({ status: TooBig });
      await expectBytes(await host.fetch("/bytes?url=/bytes/2000&max=0"), bytesOf(2000));
      expect(await ask(host, { url: "/loop" })).toMatchObject({ status: Redirect });
      expect(host.upstream.seen.filter((line) => line === "GET /loop")).toHaveLength(4);
    });

    test("fetch: more connections at once where the host allows them, fewer where it does not", async () => {
      expect(await host.json("/many?n=9&url=/barrier/2/9")).toEqual({ ok: 9, cancelled: 0, failed: 0 });
      expect(host.upstream.waitingMost).toBe(2);
    });
  },
  { limits: { bodyBytes: 2000, redirects: 3, connections: 2 } },
);

/** An origin whose owner answers what only looks like a response, or a response that is odd. */
const answering = (respond: () => unknown) =>
  simulatedHost("fetch", {
    grants: ({ clock }) => {
      const later = new Promise<void>((resolve) => clock.setTimeout(resolve, 10));
      return { API: origin("http://one.test", { fetcher: { fetch: () => later.then(respond) as Promise<Response> } }) };
    },
  });

test.for(NO_BYTES)("fetch: a body that brings %s is Failed", async ([, chunk]) => {
  const host = await answering(() => new Response(streamOf(chunk)));
  const message = "the body is not bytes";
  expect(await ask(host, { url: "/", max: 0 })).toEqual({ status: Failed, message });
  await expectNothingLeft(host);
});

test.for([
  ["that comes too late", { timeout: 5 }, TimedOut],
  ["that nobody reads", {}, Ok],
] as const)("fetch: a body without cancel() %s is let go of in silence", async ([, asked, status]) => {
  const host = await answering(() => ({ status: 200, headers: new Headers(), body: {}, bodyUsed: false }));
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown): void => void rejections.push(reason);
  process.on("unhandledRejection", onRejection);
  try {
    expect(await ask(host, { url: "/", ...asked })).toMatchObject({ status });
    await expectNothingLeft(host);
    // A rejection is noticed after the promises of its event.
    await new Promise((resolve) => setImmediate(resolve));
    expect(rejections).toEqual([]);
  } finally {
    process.off("unhandledRejection", onRejection);
  }
});
