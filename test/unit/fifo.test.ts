import { array, assert, constantFrom, property } from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "../../src/fifo.ts";

test("fifo: is an array that only gives from the front", () =>
  assert(
    property(array(constantFrom("push", "shift", "peek", "clear", "list", "length"), { maxLength: 200 }), (steps) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      steps.forEach((step, index) => {
        if (step === "push") {
          fifo.push(index);
          model.push(index);
        } else if (step === "shift") expect(fifo.shift()).toBe(model.shift());
        else if (step === "peek") expect(fifo.peek()).toBe(model[0]);
        else if (step === "clear") {
          fifo.clear();
          model = [];
        } else if (step === "list") expect([...fifo]).toEqual(model);
        expect(fifo.length).toBe(model.length);
      });
    }),
  ));

test("fifo: keeps the order over any length, full or never quite empty", () => {
  const fifo = new Fifo<number>();
  let pushed = 0;
  let shifted = 0;
  const push = (count: number): void => {
    for (let i = 0; i < count; i++) fifo.push(pushed++);
  };
  const shift = (count: number): void => {
    for (let i = 0; i < count; i++) expect(fifo.shift()).toBe(shifted++);
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
