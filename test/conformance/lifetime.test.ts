// Lifetime: a context lives until it has answered and nothing that it started is in flight.

import { expect, test } from "vitest";
import { onEachHost, onSimulatedHost } from "../support/hosts.ts";

let keys = 0;
const newKey = (): string => `lifetime/${++keys}`;

onEachHost("lifetime", (host) => {
  test.for(["put-after", "put-first"])("waitUntil: %s the answer, the put is done", async (route) => {
    const key = newKey();
    expect(await (await host.fetch(`/${route}?key=${key}`)).text()).toBe("answered");
    await host.ended();
    const value = route === "put-after" ? "put after the answer" : "put before the answer";
    expect(await (await host.fetch(`/get?key=${key}`)).text()).toBe(value);
  });

  test("waitUntil: what follows the answer may take several steps", async () => {
    const key = newKey();
    expect(await (await host.fetch(`/chain-after?key=${key}&ms=50`)).text()).toBe("answered");
    await host.ended();
    expect(await (await host.fetch(`/get?key=${key}`)).text()).toBe("status 200");
  });

  test("waitUntil: a body that was left when all is over is let go of", async () => {
    expect(await (await host.fetch("/fetch-after")).text()).toBe("answered");
    await host.ended();
    expect(host.upstream.seen).toEqual(["GET /endless"]);
  });

  test("waitUntil: a trap after the answer is reported, and the answer stands", async () => {
    expect(await (await host.fetch("/trap-after")).text()).toBe("answered");
    await host.ended();
    expect(await host.takeReports()).toMatchObject([{ kind: "trap", message: "after the answer", operation: "timer" }]);
  });

  test.for([
    ["/silent", "accept"],
    ["/silent-after-kv", "kv.get"],
    ["/silent-after-timer", "kv.get"],
  ] as const)("unanswered: %s is answered 500 at once, and the report names %s", async ([route, operation]) => {
    const response = await host.fetch(route);
    const what = `The handler of ${operation} ran last and started nothing`;
    const detail = `${what}: answer with exchange.respond() on every path.`;
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ error: "unanswered", detail });
    const reports = await host.takeReports();
    expect(reports.at(-1)).toMatchObject({ kind: "unanswered", message: detail, operation });
    expect(reports.at(-1)!.request).toMatch(new RegExp(`^GET http://.*${route}$`));
  });
});

onSimulatedHost(
  "lifetime",
  (host) => {
    test("waitUntil: the answer does not wait for what follows it", async () => {
      const { clock } = host.simulation;
      expect(await (await host.fetch("/chain-after?key=a&ms=1000")).text()).toBe("answered");
      expect([clock.now(), host.proactor.counters.contexts]).toEqual([0, 1]);
      // The timer, the fetch and the put, 10 ms each.
      await host.simulation.advance(1019);
      expect(host.proactor.counters.contexts).toBe(1);
      await host.simulation.advance(1);
      expect(host.proactor.counters.contexts).toBe(0);
    });

    test("waitUntil: the platform is told before the answer is given, and hears of the end", async () => {
      const promises: Promise<unknown>[] = [];
      const lifetime = { waitUntil: (promise: Promise<unknown>) => void promises.push(promise) };
      const response = await host.proactor.fetch(new Request("http://localhost/put-after?key=a"), lifetime);
      expect([await response.text(), promises.length]).toEqual(["answered", 1]);
      await host.simulation.run(promises[0]!);
      expect([host.simulation.clock.now(), host.proactor.counters.contexts]).toEqual([10, 0]);
    });

    test("waitUntil: a request that ends with its answer needs none", async () => {
      const promises: Promise<unknown>[] = [];
      const lifetime = { waitUntil: (promise: Promise<unknown>) => void promises.push(promise) };
      const request = new Request("http://localhost/get?key=a");
      expect((await host.simulation.run(host.proactor.fetch(request, lifetime))).status).toBe(404);
      expect(promises).toEqual([]);
    });

    test("trap: what was in flight leaves no timer behind", async () => {
      expect((await host.fetch("/trap-with-timer")).status).toBe(500);
      expect([host.simulation.clock.now(), host.simulation.clock.size]).toEqual([1, 0]);
      expect(await host.takeReports()).toMatchObject([{ kind: "trap", message: "with a timer in flight" }]);
    });

    test("unanswered: no time passes before the 500", async () => {
      await host.fetch("/silent");
      expect(host.simulation.clock.now()).toBe(0);
      expect(await host.takeReports()).toHaveLength(1);
    });
  },
  { delay: [10, 10] },
);
