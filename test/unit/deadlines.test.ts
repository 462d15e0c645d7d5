import { array, assert, boolean, integer, oneof, property, record } from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { Deadlines, systemClock } from "../../src/deadlines.ts";
import type { Deadline } from "../../src/deadlines.ts";
import { VirtualClock } from "../../src/testing/index.ts";

function fireAll(clock: VirtualClock): void {
  while (clock.size > 0) clock.fireNext();
}

test("deadlines: expire by due time, equal ones by order of submission, each at its time", () =>
  assert(
    property(array(integer({ min: 0, max: 20 })), (delays) => {
      const clock = new VirtualClock();
      const deadlines = new Deadlines(clock);
      const expired: [number, number, number][] = [];
      delays.forEach((ms, index) => deadlines.add(ms, () => expired.push([clock.now(), ms, index])));
      expect(clock.size).toBe(delays.length > 0 ? 1 : 0);
      fireAll(clock);
      expect(expired).toEqual(
        delays.map((ms, index) => [ms, ms, index]).toSorted((a, b) => a[1]! - b[1]! || a[2]! - b[2]!),
      );
      expect(deadlines.size).toBe(0);
    }),
  ));

test("deadlines: whatever is added, removed and awaited in between, the model agrees and one timer is armed at most", () => {
  const step = oneof(
    record({ add: integer({ min: 0, max: 30 }) }),
    record({ remove: integer({ min: 0, max: 20 }) }),
    record({ wait: integer({ min: 0, max: 15 }) }),
    record({ clear: boolean() }),
  );
  assert(
    property(array(step, { maxLength: 60 }), (steps) => {
      const clock = new VirtualClock();
      const deadlines = new Deadlines(clock);
      const added: Deadline[] = [];
      const live = new Map<number, number>();
      const expired: number[] = [];
      const expected: number[] = [];
      for (const step of steps) {
        if ("add" in step) {
          const index = added.length;
          added.push(deadlines.add(step.add, () => expired.push(index)));
          live.set(index, clock.now() + step.add);
        } else if ("remove" in step) {
          const deadline = added[step.remove];
          // Removing twice, or what has expired, does nothing.
          if (deadline) deadlines.remove(deadline);
          live.delete(step.remove);
        } else if ("wait" in step) {
          const until = clock.now() + step.wait;
          while (clock.earliest <= until) clock.fireNext();
          clock.moveTo(until);
          const due = [...live].filter(([, at]) => at <= until).toSorted((a, b) => a[1] - b[1] || a[0] - b[0]);
          for (const [index] of due) {
            expected.push(index);
            live.delete(index);
          }
        } else if (step.clear) {
          deadlines.clear();
          live.clear();
          added.length = 0;
          return;
        }
        expect(expired).toEqual(expected);
        expect(deadlines.size).toBe(live.size);
        expect(clock.size).toBeLessThanOrEqual(1);
        if (live.size === 0) expect(clock.size).toBe(0);
      }
    }),
  );
});

test("deadlines: a timer that fires before the clock has moved counts all the same", () => {
  // Clocks may stand still between events; the platform's timer knows better.
  let fire: (() => void) | undefined;
  const clock = {
    now: () => 1000,
    setTimeout: (callback: () => void) => (fire = callback),
    clearTimeout: () => (fire = undefined),
  };
  const deadlines = new Deadlines(clock);
  const expired: string[] = [];
  deadlines.add(10, () => expired.push("first"));
  deadlines.add(20, () => expired.push("second"));
  fire!();
  expect(expired).toEqual(["first"]);
  fire!();
  expect(expired).toEqual(["first", "second"]);
});

test("deadlines: what is added while others expire waits for the next timer, even if it is due at once", () => {
  const clock = new VirtualClock();
  const deadlines = new Deadlines(clock);
  let times = 0;
  const again = (): void => {
    if (times++ < 5) deadlines.add(0, again);
  };
  deadlines.add(0, again);
  for (let fired = 1; fired <= 6; fired++) {
    clock.fireNext();
    expect(times).toBe(fired);
  }
  expect(clock.size).toBe(0);
});

test("deadlines: one that expires may take back others that are due at the same time", () => {
  const clock = new VirtualClock();
  const deadlines = new Deadlines(clock);
  const expired: string[] = [];
  deadlines.add(5, () => {
    expired.push("first");
    deadlines.remove(second);
  });
  const second = deadlines.add(5, () => expired.push("second"));
  deadlines.add(5, () => expired.push("third"));
  fireAll(clock);
  expect(expired).toEqual(["first", "third"]);
});

afterEach(() => void vi.restoreAllMocks());

test("deadlines: the system's clock tells the time of the calendar, and may be set without moving what is due", () => {
  const calendar = Date.now();
  const before = systemClock.now();
  expect(Math.abs(before - calendar)).toBeLessThan(3_600_000);
  for (const set of [calendar - 86_400_000, calendar + 86_400_000]) {
    vi.spyOn(Date, "now").mockReturnValue(set);
    const passed = systemClock.now() - before;
    expect(passed).toBeGreaterThanOrEqual(0);
    expect(passed).toBeLessThan(3_600_000);
  }
});
