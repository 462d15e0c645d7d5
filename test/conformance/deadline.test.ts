// Deadlines: every operation takes one, and the host keeps it.

import { expect, test } from "vitest";
import { Status, TIMER_MS_MAX } from "../../assembly/abi.ts";
import { onSimulatedHost } from "../support/hosts.ts";
import type { SimulatedHost } from "../support/hosts.ts";

const AT_ONCE = ["noop", "cancel", "close", "respond"];
const IN_TIME = ["timer", "read", "fetch", "fetch-body", "kv.get", "kv.put", "kv.remove", "kv.list"];

/** A client that takes a second for its body, by the simulation's clock. */
function slowly(host: SimulatedHost): RequestInit {
  const { clock } = host.simulation;
  let timer: unknown;
  const body = new ReadableStream({
    start(controller) {
      timer = clock.setTimeout(() => controller.close(), 1000);
    },
    cancel: () => clock.clearTimeout(timer),
  });
  return { method: "POST", body, duplex: "half" } as RequestInit;
}

const ask = (host: SimulatedHost, operation: string, timeout: number) =>
  host.json(`/?operation=${operation}&timeout=${timeout}`, operation === "read" ? slowly(host) : {});

// Whatever takes time takes a second here.
onSimulatedHost(
  "deadline",
  (host) => {
    test.for(AT_ONCE)("deadline: %s is done before any", async (operation) => {
      expect((await ask(host, operation, 1)).status).not.toBe(Status.TimedOut);
      expect(host.simulation.clock.now()).toBe(0);
    });

    test.for(IN_TIME)("deadline: %s ends with TimedOut when it passes, at its time", async (operation) => {
      expect(await ask(host, operation, 999)).toEqual({ status: Status.TimedOut, message: "the deadline passed" });
      expect(host.simulation.clock.now()).toBe(999);
    });

    test.for(IN_TIME)("deadline: %s that is done before leaves no timer behind", async (operation) => {
      expect((await ask(host, operation, 1001)).status).not.toBe(Status.TimedOut);
      expect([host.simulation.clock.now(), host.simulation.clock.size]).toEqual([1000, 0]);
    });

    test.for([...AT_ONCE, ...IN_TIME])("deadline: %s without one takes its time", async (operation) => {
      expect((await ask(host, operation, 0)).status).not.toBe(Status.TimedOut);
      expect(host.simulation.clock.now()).toBe(IN_TIME.includes(operation) ? 1000 : 0);
    });

    test.for([...AT_ONCE, ...IN_TIME])("deadline: %s with one over the limit is Invalid", async (operation) => {
      if (operation === "respond") return;
      const result = await ask(host, operation, TIMER_MS_MAX + 1);
      expect(result).toEqual({ status: Status.Invalid, message: "the deadline is over the limit" });
    });
  },
  { delay: [1000, 1000] },
);
