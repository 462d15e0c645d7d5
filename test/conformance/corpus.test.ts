// The conformance corpus on the JavaScript host, in Node. Other hosts are asked by `npm run conformance`.

import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { isBuilt, readCases } from "../../conformance/cases.ts";
import { alike } from "../../conformance/compare.ts";
import { World } from "../../conformance/world.ts";
import { path } from "../../scripts/paths.ts";

afterEach(() => vi.restoreAllMocks());

describe.for(readCases().filter(isBuilt))("$name", ({ cases }) => {
  test.for(cases)("conformance: $title", async ({ steps }) => {
    const world = new World(async (module) => WebAssembly.compile(await readFile(path(module))));
    for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockImplementation(world.log);
    for (const { do: command, expect: expected = {} } of steps)
      expect(alike(await world.perform(command)), JSON.stringify(command)).toEqual(alike(expected));
  });
});
