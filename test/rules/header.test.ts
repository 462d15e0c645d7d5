// include/proactor_v1.h says what assembly/abi.ts says.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { HEADER, capitals, headerText } from "../../scripts/header.ts";
import { path } from "../../scripts/paths.ts";
import * as abi from "../../assembly/abi.ts";

test("header: is what is made of abi.ts", () => {
  expect(readFileSync(path(HEADER), "utf8"), "npm run header").toBe(headerText());
});

test("header: has every number of the contract", () => {
  const text = headerText();
  const numbers = new Map(
    [...text.matchAll(/^(?:#define)? +PROACTOR_(\w+)(?: =)? (-?\w+?)u?,?$/gm)].map(([, name, value]) => [
      name,
      Number(value),
    ]),
  );
  for (const [name, value] of Object.entries(abi)) {
    if (typeof value === "number") expect([name, numbers.get(name)]).toEqual([name, value]);
    else
      for (const [member, number] of Object.entries(value).filter(([member]) => Number.isNaN(Number(member))))
        expect([member, numbers.get(`${capitals(name)}_${capitals(member)}`)]).toEqual([member, number]);
  }
});
