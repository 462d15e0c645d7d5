// Rule 5: tokens carry a generation. A completion whose generation is over is counted and dropped, never dispatched;
// a cancel whose generation is over touches nothing.

import { expect, test } from "vitest";
import {
  CancelResult,
  COMPLETION_BYTES,
  COMPLETION_FLAGS,
  COMPLETION_TOKEN_GENERATION,
  COMPLETION_TOKEN_SLOT,
  MORE,
  Status,
} from "../../assembly/abi.ts";
import { guest } from "./guest.ts";
import { cancel, noop, puppet, respond, timer } from "./puppet.ts";

/** The guest with a host that adds completions for tokens that `forge` makes of the last ones that it saw. */
async function withForgeries(forge: (slot: number, generation: number) => (readonly [number, number])[]) {
  let memory: WebAssembly.Memory;
  let forged = 0;
  const started = await guest("test/contract", {
    memory: false,
    exports: (exports) => {
      memory = exports.memory;
      return {};
    },
    imports: (imports) => ({
      ...imports,
      proactor_v1: {
        ...imports["proactor_v1"],
        poll: (at, capacity, arena, arenaBytes) => {
          const count = imports["proactor_v1"]!["poll"]!(at!, capacity!, arena!, arenaBytes!);
          const view = new DataView(memory.buffer);
          const word = (index: number, offset: number): number => at! + index * COMPLETION_BYTES + offset;
          const slot = view.getUint32(word(0, COMPLETION_TOKEN_SLOT), true);
          const generation = view.getUint32(word(0, COMPLETION_TOKEN_GENERATION), true);
          // A copy of the request's completion would end the accept.
          const isFinal = count > 0 && (view.getUint32(word(0, COMPLETION_FLAGS), true) & MORE) === 0;
          const tokens = isFinal ? forge(slot, generation) : [];
          tokens.forEach(([slot, generation], index) => {
            new Uint8Array(memory.buffer).fill(0, word(count + index, 0), word(count + index + 1, 0));
            view.setUint32(word(count + index, COMPLETION_TOKEN_SLOT), slot, true);
            view.setUint32(word(count + index, COMPLETION_TOKEN_GENERATION), generation, true);
          });
          forged += tokens.length;
          return count + tokens.length;
        },
      },
    }),
  });
  return { ...started, forged: () => forged };
}

test("rule 5: the guest drops completions of tokens that it never gave, or whose generation is over", async () => {
  const { ask, forged, simulation } = await withForgeries((slot, generation) => [
    [slot, generation - 1],
    [slot, 0],
    [slot, 0xffff_ffff],
    [slot + 1000, 1],
    [0x7fff_ffff, 1],
    [0xffff_ffff, 0xffff_ffff],
  ]);
  // Those of the last turn come behind the handler that answers.
  expect(await ask("/stale")).toEqual({ status: 200, text: "6" });
  expect(forged()).toBeGreaterThan(6);
  expect(simulation.clock.now()).toBe(20);
});

test("rule 5: a completion that comes twice is dispatched once", async () => {
  const { ask, simulation } = await withForgeries((slot, generation) => [[slot, generation]]);
  expect(await ask("/stale")).toEqual({ status: 200, text: "1" });
  expect(simulation.clock.now()).toBe(20);
});

test("rule 5: a cancel of an earlier user of the slot leaves the present one alone", async () => {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    puppet.submit({ ...noop(), slot: 5, generation: 1 });
    yield;
    puppet.submit({ ...timer(50), slot: 5, generation: 2 }, { ...cancel(5, 1), slot: 6 });
    const [cancelled] = yield;
    expect(cancelled).toMatchObject({ slot: 6, status: Status.Ok, auxiliary: CancelResult.TooLate });
    const [rung] = yield;
    expect(rung).toMatchObject({ slot: 5, generation: 2, status: Status.Ok });
    expect(stage.simulation.clock.now()).toBe(50);
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 5: every bit of a token comes back as it went", async () => {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    const tokens = [
      [1, 0],
      [2, 0xffff_ffff],
      [0xf_ffff, 0x8000_0000],
    ] as const;
    puppet.submit(...tokens.map(([slot, generation]) => ({ ...noop(), slot, generation })));
    const done = yield;
    expect(done.map(({ slot, generation }) => [slot, generation])).toEqual(tokens);
    puppet.submit(respond(exchange));
    yield;
  });
});
