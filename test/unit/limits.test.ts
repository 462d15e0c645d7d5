import { expect, test } from "vitest";
import { SLOT_COUNT_MAX } from "../../assembly/abi.ts";
import { DEFAULT_LIMITS } from "../../src/index.ts";
import { completeLimits } from "../../src/limits.ts";

test("limits: what is not given has its default, also what is given as undefined", () => {
  expect(completeLimits()).toEqual(DEFAULT_LIMITS);
  const given = { budget: 1, inFlight: undefined } as never;
  expect(completeLimits(given)).toEqual({ ...DEFAULT_LIMITS, budget: 1 });
});

test.for([0, -1, 1.5, NaN, Infinity, "7", null, {}])("limits: %j is refused", (value) => {
  expect(() => completeLimits({ budget: value as number })).toThrow(
    `limits.budget: ${String(value)} is no whole number from 1 to 2147483647`,
  );
});

test.for(["inFligth", "toString", "__proto__", "constructor"])("limits: there is no limit called %s", (name) => {
  const limits = Object.fromEntries([[name, 5]]);
  expect(() => completeLimits(limits)).toThrow(`limits: "${name}" is none of inFlight, budget`);
});

test("limits: none is larger than what a module could take", () => {
  expect(completeLimits({ inFlight: SLOT_COUNT_MAX }).inFlight).toBe(SLOT_COUNT_MAX);
  expect(() => completeLimits({ inFlight: SLOT_COUNT_MAX + 1 })).toThrow(
    "limits.inFlight: 1048577 is no whole number from 1 to 1048576",
  );
  expect(() => completeLimits({ budget: 2 ** 31 })).toThrow(
    "limits.budget: 2147483648 is no whole number from 1 to 2147483647",
  );
});
