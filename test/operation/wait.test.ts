import { expect, onTestFinished, test, vi } from "vitest";
import { Opcode, Status } from "../../assembly/abi.ts";
import { Deadlines } from "../../src/deadlines.ts";
import { noop, puppet, respond, timer } from "../contract/puppet.ts";
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

test("wait: a thousand that were woken leave no deadlines behind", async () => {
  const add = vi.spyOn(Deadlines.prototype, "add");
  onTestFinished(() => add.mockRestore());
  const stage = await puppet({ memory: false });
  await stage.serve(function* (exchange, puppet) {
    for (let slot = 5000; slot < 6000; slot++) {
      puppet.submit({ opcode: Opcode.Wait, slot, generation: 1 });
      puppet.submit({ opcode: Opcode.Wake, arguments: [slot, 1] }, noop());
      yield;
    }
    const [deadlines] = add.mock.contexts as [Deadlines];
    // The watch of the context, and by which it lets others go first.
    expect(deadlines.size).toBeLessThanOrEqual(2);
    puppet.submit(timer(5000));
    yield;
    expect(deadlines.size).toBe(0);
    puppet.submit(respond(exchange));
    yield;
  });
  expect(stage.simulation.clock.now()).toBe(5000);
});
