// Poll and open, attacked: arenas that are too small in the wrong moment, and calls that leave something behind each.

import { createHook } from "node:async_hooks";
import { expect, test } from "vitest";
import { EventKind, Opcode, Status } from "../../assembly/abi.ts";
import { ARENA, ARENA_BYTES, COMPLETIONS, puppet, respond } from "../contract/puppet.ts";

const acceptAgain = { opcode: Opcode.Accept, arguments: [EventKind.Fetch] };

test("poll: who finds that others took everything, and the last poll nothing, is unanswered and no more", async () => {
  const turns = [
    // The first request takes its head, and leaves what belongs to no request: the failure of a second accept.
    (poll: (arenaBytes: number) => number, submit: () => void) => (poll(ARENA_BYTES), submit()),
    // The second request takes that, and has no room for its own head.
    (poll: (arenaBytes: number) => number) => expect([poll(ARENA_BYTES), poll(0)]).toEqual([1, Status.TooBig]),
  ];
  const stage = await puppet({
    isolation: "shared",
    limits: { runs: 1 },
    run: (puppet) => {
      const poll = (arenaBytes: number): number => puppet.imports.poll(COMPLETIONS, 1, ARENA, arenaBytes);
      const turn = turns.shift();
      if (turn) turn(poll, () => puppet.submit(acceptAgain));
      else poll(ARENA_BYTES);
      return 1;
    },
  });
  const answers = ["first", "second"].map((name) => stage.proactor.fetch(new Request(`http://puppet.test/${name}`)));
  const texts = await stage.simulation.run(Promise.all(answers.map(async (answer) => (await answer).json())));
  expect(texts).toMatchObject([{ error: "unanswered" }, { error: "unanswered" }]);
  expect(stage.reports.map(({ kind }) => kind)).toEqual(["unanswered", "unanswered"]);
});

test("open: what is not granted is reported each time, and nothing waits in the host until the turn ends", async () => {
  const stage = await puppet({ memory: false });
  let promises = 0;
  const hook = createHook({ init: (_id, type) => void (type === "PROMISE" && promises++) });
  await stage.serve(function* (exchange, puppet) {
    hook.enable();
    for (let call = 0; call < 1000; call++) expect(puppet.open("NOTHING")).toBe(Status.NotFound);
    hook.disable();
    puppet.submit(respond(exchange));
    yield;
  });
  expect([stage.reports.length, promises]).toEqual([1000, 0]);
});
