import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { onEachHost, simulatedHost } from "../support/hosts.ts";

onEachHost(
  "wait",
  (host) => {
    test("wake: does nothing to what is no wait", async () => {
      expect(await (await host.fetch("/none")).text()).toBe(`${Status.Ok}`);
    });
  },
  { runtimes: ["minimal", "stub"] },
);

test("wake: completes the wait of another request, on that request's stack", async () => {
  const host = await simulatedHost("wait", { isolation: "shared" });
  const [waited, woken] = await host.fetchAll(["/wait", "/wake"]);
  expect([await waited!.text(), await woken!.text()]).toEqual([`${Status.Ok}`, "woken"]);
  expect(host.simulation.clock.now()).toBe(0);
});

test("wake: of one that was woken before, no more are admitted than the host has room for", async () => {
  const host = await simulatedHost("wait", { isolation: "shared", limits: { inFlight: 10 } });
  const [waited] = await host.fetchAll(["/wait", "/wake?times=1000"]);
  expect(await waited!.text()).toBe(`${Status.Ok}`);
  const { refused, inFlight } = host.proactor.counters;
  expect(refused).toBeGreaterThan(980);
  expect(inFlight).toBe(1);
  // Nobody has lost anything: the one wake that counts was admitted.
  expect(await host.takeReports()).toEqual([]);
});
