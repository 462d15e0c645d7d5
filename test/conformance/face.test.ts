// The guest's face: what a program sees of the queue, on every host and with every runtime of AssemblyScript.

import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { bytesOf, expectBytes } from "../support/bytes.ts";
import { onEachHost, onSimulatedHost } from "../support/hosts.ts";
import type { TestHost } from "../support/hosts.ts";

const runtimes = ["minimal", "stub"] as const;

/** Cases for every host. */
const behaviour = (host: TestHost): void => {
  test("submit: a handler is called once for its completion", async () => {
    expect(await host.json("/submit")).toEqual({ calls: 1, sum: 1 });
  });

  test("submit: one handler may serve many operations at once", async () => {
    expect(await host.json("/one-handler")).toEqual({ calls: 30, sum: 20 + 10 * 100 });
  });

  test("submit: an operation is a value that may be submitted again, changed in between", async () => {
    expect(await host.json("/value-twice")).toEqual({ calls: 3, sum: 2 + 100 });
  });

  test("submit: without a handler a failure is reported, a success is not", async () => {
    expect(await (await host.fetch("/unhandled")).text()).toBe("done");
    await host.ended();
    expect(await host.takeReports()).toMatchObject([
      { kind: "unhandled", operation: "timer", status: Status.Invalid },
      { kind: "unhandled", operation: "kv.get", status: Status.Invalid },
    ]);
  });

  test("then: hands over a context, be it an object or a number", async () => {
    expect(await (await host.fetch("/then")).text()).toBe(`${Status.Ok}`);
    expect(await (await host.fetch("/then-number")).text()).toBe("42");
  });

  test("cancel: says Won, and the handler sees Cancelled", async () => {
    const response = await host.fetch("/cancel");
    expect([response.headers.get("x-won"), await response.text()]).toEqual(["yes", `${Status.Cancelled}`]);
  });

  test("dispatch: handlers run one after another, never inside each other", async () => {
    expect(await host.json("/nesting")).toEqual({ deepest: 1 });
  });

  test("dispatch: handlers that only the queue knows outlive a collection", async () => {
    expect(await host.json("/survive?n=500")).toMatchObject({ wrong: 0 });
  });

  test("submit: nothing of the guest's heap is needed after it", async () => {
    expect(await host.json("/collected")).toMatchObject({ wrong: 0 });
    await expectBytes(await host.fetch("/filled"), bytesOf(5000));
  });

  test("memory: submit, poll, dispatch, cancel, timers and KV calls allocate nothing once they have begun", async () => {
    expect(await host.json("/steady?n=400")).toEqual({ allocated: false, cancelled: 399 });
    // One byte more would have been seen.
    expect(await host.json("/steady?n=400&allocateAt=399")).toMatchObject({ allocated: true });
  });
};

onEachHost("face", behaviour, { runtimes });

const collects = (host: TestHost): void => {
  test("memory: what requests leave behind is collected", async () => {
    const pages: number[] = [];
    for (let i = 0; i < 2000; i++) pages.push(Number(await (await host.fetch("/garbage")).text()));
    expect(pages.at(-1)).toBe(pages[999]);
  });
};

onSimulatedHost("face", collects, { runtimes: ["minimal"] });

onSimulatedHost(
  "face",
  (host) => {
    test("chain: a handler that submits itself again runs a million times in one slot and no more memory", async () => {
      // Requests leave something behind until the collector runs, which takes its first page.
      for (let request = 0; request < 2; request++) await host.json("/chain?n=1");
      const before = await host.json("/chain?n=1");
      expect(await host.json("/chain?n=1000000")).toEqual(before);
      expect(before).toMatchObject({ failed: 0, inFlight: 1, stale: 0 });
      expect(host.proactor.counters.refused).toBe(0);
    });
  },
  // The accept, and one operation more.
  { limits: { inFlight: 2 }, runtimes },
);

onSimulatedHost(
  "face",
  (host) => {
    test("memory: nor do they in fifty thousand rounds", { timeout: 600_000 }, async () => {
      expect(await host.json("/steady?n=50000")).toEqual({ allocated: false, cancelled: 49_999 });
      expect(host.proactor.counters.completed).toBe(149_999);
    });
  },
  { runtimes },
);

onSimulatedHost(
  "face",
  (host) => {
    test("submit: what is over the host's limit hears Again on the same turn", async () => {
      expect(await host.json("/refused?n=10")).toMatchObject({ wrong: 10 - 3 });
    });
  },
  { limits: { inFlight: 4 }, runtimes },
);
