// WASI: console, clock and random numbers as AssemblyScript's own library asks for them.

import { wasi } from "@bjorn3/browser_wasi_shim";
import { expect, test } from "vitest";
import { eventually, onEachHost, onSimulatedHost } from "../support/hosts.ts";

onEachHost(
  "wasi",
  (host) => {
    test("console: each line is written once it is whole", async () => {
      await host.fetch("/log?text=caf%C3%A9");
      const lines = ["caf\u00e9", "Error: two", "lines", "one line in two parts", "to the other stream"];
      await eventually(() => expect(host.log.toSorted()).toEqual(lines.toSorted()));
    });

    test("clock: time passes while the guest waits", async () => {
      const { start, passed, performance } = await host.json("/time?ms=100");
      expect(start).toBeGreaterThanOrEqual(0);
      // Timers and clocks of a platform may disagree by a little.
      expect(passed).toBeGreaterThanOrEqual(90);
      expect(performance).toBeGreaterThanOrEqual(0);
    });

    test("random: numbers are from 0 to 1, and differ", async () => {
      const numbers = Object.values<number>(await host.json("/random"));
      expect(new Set(numbers).size).toBe(4);
      for (const number of numbers) expect(number >= 0 && number < 1).toBe(true);
    });

    test("random: more bytes than the platform gives at once", async () => {
      const bytes = await (await host.fetch("/bytes")).bytes();
      // Had any part stayed 0, a value would be far too frequent.
      expect(bytes.filter((byte) => byte === 0).length).toBeLessThan(1000);
    });

    test("poll_oneoff: waiting is not supported, and does not spin", async () => {
      expect(await host.json("/wait")).toEqual({ errno: wasi.ERRNO_NOTSUP });
    });

    test("process: there are no arguments and no environment", async () => {
      expect(await host.json("/environment")).toEqual({ arguments: 0, variables: 0 });
    });

    test("process: an exit ends the request, not the host", async () => {
      expect((await host.fetch("/exit")).status).toBe(500);
      expect(await host.takeReports()).toMatchObject([{ kind: "trap", message: "exit with exit code 3" }]);
      expect(await host.json("/wait")).toEqual({ errno: wasi.ERRNO_NOTSUP });
    });
  },
  { log: true },
);

onSimulatedHost("wasi", (host) => {
  test("clock: the guest's time is the simulation's", async () => {
    await host.simulation.advance(86_400_000);
    expect(await host.json("/time?ms=1000")).toEqual({ start: 86_400_000, passed: 1000, performance: 86_401_000 });
  });
});
