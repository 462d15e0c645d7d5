import { array, assert, constantFrom, property } from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "../../src/fifo.ts";
import type { Linked } from "../../src/fifo.ts";

interface Numbered extends Linked {
  number: number;
}

test("fifo: is an array that only gives from the front", () =>
  assert(
    property(array(constantFrom("push", "shift", "peek", "clear", "list", "length"), { maxLength: 200 }), (steps) => {
      const fifo = new Fifo<Numbered>();
      let model: Numbered[] = [];
      steps.forEach((step, index) => {
        if (step === "push") {
          const item = { number: index };
          fifo.push(item);
          model.push(item);
        } else if (step === "shift") expect(fifo.shift()).toBe(model.shift());
        else if (step === "peek") expect(fifo.peek()).toBe(model[0]);
        else if (step === "clear") {
          fifo.clear();
          model = [];
        } else if (step === "list") expect([...fifo]).toEqual(model);
        expect(fifo.length).toBe(model.length);
        expect(fifo.last).toBe(model.at(-1));
      });
    }),
  ));

test("fifo: an item that was taken can wait again, in this queue or another", () => {
  const fifo = new Fifo<Numbered>();
  const other = new Fifo<Numbered>();
  const [first, second] = [{ number: 1 }, { number: 2 }];
  fifo.push(first);
  fifo.push(second);
  other.push(fifo.shift()!);
  fifo.push(other.shift()!);
  expect([...fifo]).toEqual([second, first]);
  expect([...other]).toEqual([]);
});

test("fifo: keeps the order over any length, full or never quite empty", () => {
  const fifo = new Fifo<Numbered>();
  let pushed = 0;
  let shifted = 0;
  const push = (count: number): void => {
    for (let i = 0; i < count; i++) fifo.push({ number: pushed++ });
  };
  const shift = (count: number): void => {
    for (let i = 0; i < count; i++) expect(fifo.shift()?.number).toBe(shifted++);
  };
  push(20_000);
  shift(19_000);
  for (let round = 0; round < 100; round++) {
    push(100);
    shift(100);
  }
  expect(fifo.length).toBe(1000);
  shift(1000);
  expect(fifo.shift()).toBe(undefined);
});
