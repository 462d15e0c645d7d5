import { expect, test } from "vitest";
import { Status, TIMER_MS_MAX } from "../../assembly/abi.ts";
import { onEachHost, onSimulatedHost } from "../support/hosts.ts";

onEachHost("timer", (host) => {
  test("timer: the earliest deadline completes first, not the first submission", async () => {
    expect(await host.json(`/first?ms=${TIMER_MS_MAX},600000,1,700000`)).toEqual({ order: [2] });
  });

  test("timer: 0 ms completes too", async () => {
    expect(await host.json("/one?ms=0")).toEqual({ status: Status.Ok });
  });

  test("timer: more than the limit is Invalid", async () => {
    const result = await host.json(`/one?ms=${TIMER_MS_MAX + 1}`);
    expect(result).toEqual({ status: Status.Invalid, message: expect.stringContaining(`${TIMER_MS_MAX} ms`) });
  });

  test("timer: a deadline that comes first completes it with TimedOut", async () => {
    const result = await host.json(`/one?ms=${TIMER_MS_MAX}&timeout=1`);
    expect(result).toEqual({ status: Status.TimedOut, message: "the deadline passed" });
  });

  test("timer: a deadline that comes later changes nothing", async () => {
    expect(await host.json(`/one?ms=1&timeout=${TIMER_MS_MAX}`)).toEqual({ status: Status.Ok });
  });
});

onSimulatedHost("timer", (host) => {
  test("timer: completes in order of deadline, not of submission", async () => {
    expect(await host.json("/race?ms=400,0,200,300,100")).toEqual({ order: [1, 4, 2, 3, 0] });
  });

  test("timer: equal deadlines complete in order of submission", async () => {
    expect(await host.json("/race?ms=5,3,5,3,5,3")).toEqual({ order: [1, 3, 5, 0, 2, 4] });
  });

  test("timer: completes at its time, neither earlier nor later", async () => {
    const { clock } = host.simulation;
    const response = host.send("/one?ms=1000");
    let answered = false;
    response.then(() => (answered = true));
    await host.simulation.advance(999);
    expect([clock.now(), answered]).toEqual([999, false]);
    await host.simulation.advance(1);
    expect([clock.now(), answered]).toEqual([1000, true]);
  });

  test("timer: the longest of all lasts 24.8 days", async () => {
    expect(await host.json(`/one?ms=${TIMER_MS_MAX}`)).toEqual({ status: Status.Ok });
    expect(host.simulation.clock.now()).toBe(TIMER_MS_MAX);
  });

  test("timer: a thousand of one context arm one timer of the platform", async () => {
    const times = Array.from({ length: 1000 }, (_, index) => 1 + ((index * 7919) % 1000));
    const response = host.send(`/race?ms=${times.join()}`);
    expect(host.simulation.clock.size).toBe(1);
    const { order } = await (await host.simulation.run(response)).json();
    const byDue = times.map((ms, index) => ({ ms, index })).toSorted((a, b) => a.ms - b.ms || a.index - b.index);
    expect(order).toEqual(byDue.map(({ index }) => index));
  });

  test("timer: of a timer and its deadline at the same time one wins, once", async () => {
    const { status } = await host.json("/one?ms=10&timeout=10");
    expect([Status.Ok, Status.TimedOut]).toContain(status);
    expect(host.simulation.clock.now()).toBe(10);
  });
});
