import { array, assert, constantFrom, integer, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";
import { Opcode, Status } from "../../assembly/abi.ts";
import { CompletionRing, nameAt } from "../../src/completion-ring.ts";
import { Completion, DONE } from "../../src/completion.ts";
import type { Named } from "../../src/completion.ts";

const named = (slot: number): Named => ({ slot, generation: 0xffff_ffff - slot, opcode: Opcode.Noop + (slot % 3) });

/** Takes out the first alone. */
function take(ring: CompletionRing): [Named, Completion] {
  const names: number[] = [];
  const taken = ring.first;
  expect(ring.shift(1, names, 2)).toBe(1);
  return [nameAt(names, 2), taken];
}

const step = oneof(
  record({ do: constantFrom("push", "push done", "take") }),
  record({ do: constantFrom("shift"), most: integer({ min: 0, max: 12 }) }),
);

test("completion ring: is an array that only gives from the front", () =>
  assert(
    property(array(step, { maxLength: 300 }), (steps) => {
      const ring = new CompletionRing();
      const model: [Named, Completion][] = [];
      steps.forEach((step, index) => {
        if (step.do === "push" || step.do === "push done") {
          const completion = step.do === "push" ? new Completion(Status.Ok, undefined, index) : DONE;
          ring.push(named(index), completion);
          model.push([named(index), completion]);
        } else if ("most" in step) {
          const run = model.slice(0, step.most).findIndex(([, completion]) => completion !== model[0]![1]);
          const count = run < 0 ? Math.min(step.most, model.length) : run;
          const names: number[] = [];
          expect(ring.shift(step.most, names, 0)).toBe(count);
          const taken = model.splice(0, count).map(([name]) => name);
          expect(taken.map((_, place) => nameAt(names, place))).toEqual(taken);
          expect(names).toHaveLength(count * 3);
        } else if (model.length > 0) expect(take(ring)).toEqual(model.shift());
        expect(ring.length).toBe(model.length);
        if (model.length > 0) expect([ring.firstName, ring.first]).toEqual(model[0]);
      });
    }),
  ));

test("completion ring: keeps the order over any length, full or never quite empty", () => {
  const ring = new CompletionRing();
  let pushed = 0;
  let taken = 0;
  const push = (count: number): void => {
    for (let i = 0; i < count; i++) ring.push(named(pushed), pushed++ % 5 === 0 ? new Completion(Status.Ok) : DONE);
  };
  const shift = (count: number): void => {
    for (let i = 0; i < count; i++) expect(take(ring)[0]).toEqual(named(taken++));
  };
  push(20_000);
  shift(19_000);
  for (let round = 0; round < 100; round++) {
    push(100);
    shift(100);
  }
  expect(ring.length).toBe(1000);
  shift(1000);
  expect(ring.length).toBe(0);
});

test("completion ring: what is taken out is asked for again", () => {
  const ring = new CompletionRing();
  for (const slot of [1, 2]) ring.push(named(slot), new Completion(Status.Ok, new Uint8Array(8)));
  ring.demanded = true;
  take(ring);
  expect(ring.demanded).toBe(false);
});
