import { array, assert, integer, property, tuple } from "fast-check";
import { expect, test } from "vitest";
import { Random, VirtualClock } from "../../src/testing/index.ts";

test("virtual clock: fires by due time, equal ones in the order in which they were armed, each at its time", () =>
  assert(
    property(array(tuple(integer({ min: -5, max: 20 }), integer({ min: 0, max: 3 }))), (timers) => {
      const clock = new VirtualClock(100);
      const fired: [number, number][] = [];
      const handles = timers.map(([ms], index) => clock.setTimeout(() => fired.push([clock.now(), index]), ms));
      // One in four is taken back.
      timers.forEach(([, taken], index) => taken === 0 && clock.clearTimeout(handles[index]));
      const left = timers.flatMap(([ms, taken], index) =>
        taken === 0 ? [] : [[100 + Math.max(0, ms), index] as const],
      );
      expect(clock.size).toBe(left.length);
      while (clock.size > 0) clock.fireNext();
      expect(fired).toEqual(left.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]));
    }),
  ));

test("virtual clock: time passes only when it is told to, and never back", () => {
  const clock = new VirtualClock(50);
  clock.setTimeout(() => {}, 10);
  expect([clock.now(), clock.earliest]).toEqual([50, 60]);
  clock.moveTo(70);
  clock.moveTo(20);
  expect(clock.now()).toBe(70);
  // Late, but not in the past.
  clock.fireNext();
  expect([clock.now(), clock.earliest, clock.size]).toEqual([70, Infinity, 0]);
  clock.fireNext();
  expect(clock.now()).toBe(70);
});

/** The first numbers of a seed. */
function first(seed: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: 8 }, () => random.next());
}

test("random: a seed decides every number, and neighbouring seeds begin differently", () => {
  expect(first(7)).toEqual(first(7));
  const beginnings = Array.from({ length: 200 }, (_, seed) => first(seed)[0]!);
  expect(new Set(beginnings).size).toBe(200);
  const mean = beginnings.reduce((sum, number) => sum + number, 0) / beginnings.length;
  expect(mean).toBeGreaterThan(0.4);
  expect(mean).toBeLessThan(0.6);
});

test("random: numbers lie where they should, ends included", () =>
  assert(
    property(integer(), integer({ min: -9, max: 9 }), integer({ min: 0, max: 5 }), (seed, least, span) => {
      const random = new Random(seed);
      const numbers = Array.from({ length: 200 }, () => random.between(least, least + span));
      expect(new Set(numbers)).toEqual(new Set(Array.from({ length: span + 1 }, (_, index) => least + index)));
      expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
    }),
  ));
