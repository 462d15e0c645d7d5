import { expect, test } from "vitest";
import { CancelResult, Status } from "../../assembly/abi.ts";
import { eventually, onEachHost, onSimulatedHost } from "../support/hosts.ts";

const { Won, TooLate, Unknown } = CancelResult;

onEachHost("cancel", (host) => {
  test("cancel: Won is kept, and the handler sees Cancelled with nothing else", async () => {
    const response = await host.fetch("/won");
    expect([response.headers.get("x-result"), response.headers.get("x-again")]).toEqual([`${Won}`, `${Won}`]);
    expect(await response.json()).toEqual({ status: Status.Cancelled, message: "", resource: 0, payload: 0 });
  });

  test("cancel: a handler hears of it once, however often it is asked for", async () => {
    expect(await host.json("/once")).toEqual({ calls: 1, status: Status.Cancelled });
  });

  test("cancel: TooLate once the handler has begun", async () => {
    expect(await host.json("/too-late")).toEqual({ result: TooLate });
  });

  test.for([
    ["no token", 0, 0],
    ["a slot that nobody has had", 100_000, 1],
    ["a generation that is yet to come", 1, 1_000_000],
  ] as const)("cancel: Unknown for %s", async ([, slot, generation]) => {
    expect(await host.json(`/unknown?slot=${slot}&generation=${generation}`)).toEqual({ result: Unknown });
  });

  test("cancel: a slot is nobody else's until the cancelled handler has run", async () => {
    expect(await host.json("/reuse")).toEqual({ reused: 0 });
  });

  test("cancel: as an operation it completes with the host's answer", async () => {
    const result = await host.json("/operation");
    expect(result).toEqual({ result: Won, first: Status.Cancelled, second: `${Status.Ok}` });
    expect(await host.json("/operation-too-late")).toEqual({ status: Status.Ok, result: TooLate });
  });

  test("cancel: of a KV call whose answer is on its way the handler sees Cancelled", async () => {
    expect(await host.json("/kv")).toMatchObject({ status: Status.Cancelled });
  });

  test("cancel: aborts a fetch that has no response yet", async () => {
    const result = await host.json("/fetch?url=/never&after=50");
    expect(result).toMatchObject({ status: Status.Cancelled, resource: 0 });
    await eventually(() => expect(host.openTransfers()).toBe(0));
    expect(host.aborted()).toBe(host.upstream.seen.length);
  });
});

onSimulatedHost("cancel", (host) => {
  test("cancel: wins over a success that was not dispatched yet", async () => {
    const result = await host.json("/pending");
    expect(result).toEqual({ result: Won, first: Status.Ok, second: `${Status.Cancelled} ` });
  });

  test("cancel: a result that comes later is counted and dropped", async () => {
    await host.json("/kv");
    await host.ended();
    expect(host.proactor.counters.late).toBe(1);
  });

  test("cancel: a fetch that ignores its abort is let go of when it answers", async () => {
    host.simulation.faults.abortIgnored = 1;
    expect(await host.json("/fetch?url=/bytes/1000000&after=0")).toMatchObject({ status: Status.Cancelled });
    await host.ended();
    expect([host.proactor.counters.late, host.openTransfers()]).toEqual([1, 0]);
  });

  test("cancel: an accept that ends takes its instance out of the pool", async () => {
    expect(await host.json("/accept")).toEqual({ result: Won });
    await host.ended();
    expect(host.proactor.counters.instances).toBe(0);
    expect(await (await host.fetch("/anything")).text()).toBe("served");
    expect(host.proactor.counters.instantiated).toBe(2);
  });

  test("cancel: after an accept was cancelled another may be submitted", async () => {
    expect(await (await host.fetch("/accept-anew")).text()).toBe("renewed");
    expect(await (await host.fetch("/anything")).text()).toBe("the second accept");
  });
});

// Every fetch takes as long as the other, so both responses come in one microtask checkpoint and one turn delivers them.
onSimulatedHost(
  "cancel",
  (host) => {
    test("cancel: a response that nobody will see is given back at once", async () => {
      const response = host.send("/pending-fetch?wait=1000");
      await host.simulation.advance(500);
      // The first is there still, for whoever wants to read it.
      expect([host.proactor.counters.contexts, host.openTransfers()]).toEqual([1, 1]);
      const result = await (await host.simulation.run(response)).json();
      expect(result).toEqual({ result: Won, first: Status.Ok, second: `${Status.Cancelled} 0 0 0` });
    });
  },
  { delay: [5, 5] },
);
