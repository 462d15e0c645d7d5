import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { onEachHost, simulatedHost } from "../support/hosts.ts";

const runtimes = ["minimal", "stub"] as const;

onEachHost(
  "wait",
  (host) => {
    test("wait: completes with Ok when it is woken, once", async () => {
      expect(await (await host.fetch("/both")).text()).toBe(`${Status.Ok}`);
    });

    test("wait: completes with TimedOut when its deadline passes", async () => {
      expect(await (await host.fetch("/wait?timeout=5")).text()).toBe(`${Status.TimedOut}`);
    });

    test("wait: can be cancelled, and a wake then comes too late", async () => {
      expect(await (await host.fetch("/cancel")).text()).toBe(`${Status.Cancelled}`);
    });
  },
  { runtimes },
);

test("wait: ends with TimedOut after the host's limit, though it has no deadline", async () => {
  const host = await simulatedHost("wait", { limits: { waitMs: 1234 } });
  expect(await (await host.fetch("/wait")).text()).toBe(`${Status.TimedOut}`);
  expect(host.simulation.clock.now()).toBeGreaterThanOrEqual(1234);
});
