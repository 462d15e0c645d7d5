import { expect, test } from "vitest";
import { EventKind, Status } from "../../assembly/abi.ts";
import { onEachHost, onSimulatedHost } from "../support/hosts.ts";

onEachHost("accept", (host) => {
  test("accept: completes once for each request and goes on", async () => {
    const results = [];
    for (let i = 0; i < 3; i++) results.push(await host.json("/served"));
    const counts = results.map(({ served }) => served);
    expect(counts).toEqual([counts[0], counts[0] + 1, counts[0] + 2]);
    for (const result of results) expect(result).toMatchObject({ kind: EventKind.Fetch, status: Status.Ok });
  });

  test("accept: carries method, URL and headers", async () => {
    const headers = { "x-one": "first", "x-utf8": "caf\u00e9" };
    const result = await host.json("/a/b%20c?a=1%2B1&b=2", { method: "PATCH", headers, body: "x" });
    expect(result).toMatchObject({
      method: "PATCH",
      path: "/a/b%20c",
      query: "a=1%2B1&b=2",
      parameter: "1+1",
      header: "first",
      missing: null,
    });
    expect(new URL(result.url).pathname).toBe("/a/b%20c");
    expect(result.headers).toContainEqual(["x-one", "first"]);
    expect(result.headers.length).toBe(result.headerCount);
  });

  test("accept: a second one, another kind of event and a deadline are refused when the first turn comes", async () => {
    const kinds = "accept: this host has events of kind fetch only";
    expect(await host.json("/refused")).toEqual({
      0: `1 ${Status.NotSupported} ${kinds}`,
      1: `1 ${Status.NotSupported} ${kinds}`,
      2: `1 ${Status.Invalid} accept: has no deadline`,
      3: `1 ${Status.Invalid} accept: one is in flight already; call serve() once`,
    });
  });
});

onSimulatedHost("accept", (host) => {
  test("accept: requests at once are delivered to instances of their own", async () => {
    const responses = await host.fetchAll(Array.from({ length: 10 }, () => "/served"));
    const served = await Promise.all(responses.map(async (response) => (await response.json()).served));
    expect(served.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(10);
    expect(host.proactor.counters.inFlight).toBe(host.proactor.counters.instances);
  });
});

onEachHost("headers-omitted", (host) => {
  test("accept: without the requests' headers it carries method and URL", async () => {
    const headers = { "x-one": "first" };
    const response = await host.fetch("/a/b?c=d", { method: "PUT", headers, body: "x" });
    expect(await response.text()).toBe("PUT /a/b c=d");
  });

  test("accept: who asks for a header that was omitted is told", async () => {
    for (const path of ["/header", "/count"]) {
      const response = await host.fetch(path, { headers: { "x-one": "first" } });
      expect(await response.json()).toMatchObject({ error: "trap" });
      const message = expect.stringContaining("serve() was told to omit request headers");
      expect(await host.takeReports()).toMatchObject([{ kind: "trap", message }]);
    }
  });
});
