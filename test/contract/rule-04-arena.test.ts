// Rule 4: a payload lies in the arena that `poll` named and is valid until the next `poll`. For a payload larger than
// the arena `poll` tells the bytes needed; the guest grows its arena and polls again, or polls again as it is, and the
// operation fails with TooBig.

import { expect, test } from "vitest";
import {
  COMPLETION_PAYLOAD_BYTES,
  DETACHED,
  EventKind,
  MORE,
  Opcode,
  PAYLOAD_ALIGNMENT,
  Status,
} from "../../assembly/abi.ts";
import { kv } from "../../src/index.ts";
import { memoryKv } from "../../src/kv-memory.ts";
import { Simulation } from "../../src/testing/index.ts";
import {
  ARENA,
  COMPLETIONS,
  MEMORY_BYTES,
  Puppet,
  cancel,
  fetch,
  get,
  noop,
  puppet,
  put,
  respond,
  text,
} from "./puppet.ts";
import type { Completion } from "./puppet.ts";

/** Reads these values, which all arrive at once; `take` polls for them by hand and returns the completions. */
async function byHand(values: Record<string, string>, take: (puppet: Puppet) => Completion[]): Promise<Completion[]> {
  const simulation = new Simulation();
  const arrived = new Promise<void>((resolve) => simulation.clock.setTimeout(resolve, 10));
  const store = { get: (key: string) => arrived.then(() => new TextEncoder().encode(values[key]).buffer) };
  let waiting = false;
  let taken: Completion[] = [];
  const stage = await puppet({
    simulation,
    resources: { STORE: kv({ ...memoryKv(), ...store }) },
    run: (puppet) => {
      const completions = waiting ? take(puppet) : puppet.poll();
      if (waiting) taken = completions;
      waiting = false;
      puppet.dispatch(completions);
      return completions.length;
    },
  });
  await stage.serve(function* (exchange, puppet) {
    const number = puppet.open("STORE");
    puppet.submit(...Object.keys(values).map((key) => get(number, key)));
    waiting = true;
    yield;
    puppet.submit(respond(exchange));
    yield;
  });
  return taken;
}

test("rule 4: payloads lie inside the arena, aligned, one after the other, without overlap", async () => {
  const values = { a: "1", b: "22", c: "x".repeat(100), d: "4" };
  const taken = await byHand(values, (puppet) => puppet.poll());
  expect(taken.map(({ payload }) => text(payload))).toEqual(Object.values(values));
  let free = ARENA;
  for (const { at, payload } of taken) {
    expect(at % PAYLOAD_ALIGNMENT).toBe(0);
    expect(at).toBeGreaterThanOrEqual(free);
    free = at + payload.length;
  }
  expect(free).toBeLessThanOrEqual(MEMORY_BYTES);
});

test("rule 4: an arena at any address, of exactly the size that was asked for, holds the payload", async () => {
  for (let offset = 0; offset < 16; offset++) {
    const taken = await byHand({ a: "x".repeat(333) }, (puppet) => {
      expect(puppet.imports.poll(COMPLETIONS, 8, ARENA + offset, 8)).toBe(Status.TooBig);
      const needed = puppet.view.getUint32(COMPLETIONS + COMPLETION_PAYLOAD_BYTES, true);
      expect(puppet.imports.poll(COMPLETIONS, 8, ARENA + offset, needed)).toBe(1);
      return [puppet.read(COMPLETIONS)];
    });
    expect(text(taken[0]!.payload)).toBe("x".repeat(333));
  }
});

test.for([
  [124, 1],
  [125, 2],
] as const)("rule 4: of 61 bytes twice, the second aligned, an arena of %i holds %i", async ([bytes, count]) => {
  const taken = await byHand({ a: "a".repeat(61), b: "b".repeat(61) }, (puppet) => puppet.poll(256, bytes));
  expect(taken).toHaveLength(count);
});

test("rule 4: what does not fit any more waits for the next poll, in order", async () => {
  const values = { a: "a".repeat(60), b: "b".repeat(60), c: "c".repeat(60) };
  const taken = await byHand(values, (puppet) => [
    ...puppet.poll(256, 150),
    ...puppet.poll(256, 150),
    ...puppet.poll(256, 150),
  ]);
  expect(taken.map(({ payload }) => text(payload).slice(0, 1))).toEqual(["a", "b", "c"]);
});

test("rule 4: a guest that says no gets TooBig instead of the payload, and the others undisturbed", async () => {
  const values = { a: "a", b: "b".repeat(5000), c: "c" };
  const taken = await byHand(values, (puppet) => {
    const [first] = puppet.poll(256, 64);
    expect(puppet.imports.poll(COMPLETIONS, 256, ARENA, 64)).toBe(Status.TooBig);
    return [first!, ...puppet.poll(256, 64)];
  });
  expect(taken.map(({ status, payload }) => [status, text(payload)])).toEqual([
    [Status.Ok, "a"],
    [Status.TooBig, ""],
    [Status.Ok, "c"],
  ]);
});

test.for<[what: string, key: string, flags: number, reported: Status[]]>([
  ["with a handler is the handler's own", "long", 0, []],
  ["without a handler is reported", "long", DETACHED, [Status.TooBig]],
  ["that had failed already is not reported again", "missing", DETACHED, [Status.NotFound]],
])("rule 4: what becomes TooBig %s", async ([, key, flags, reported]) => {
  const simulation = new Simulation({ delay: [0, 0] });
  let arenaBytes = 4096;
  const stage = await puppet({
    simulation,
    resources: { STORE: simulation.kv() },
    run: (puppet) => {
      if (arenaBytes === 8) expect(puppet.imports.poll(COMPLETIONS, 8, ARENA, arenaBytes)).toBe(Status.TooBig);
      const completions = puppet.poll(8, arenaBytes);
      puppet.dispatch(completions);
      return completions.length;
    },
  });
  await stage.serve(function* (exchange, puppet) {
    const store = puppet.open("STORE");
    puppet.submit(put(store, "long", "x".repeat(100)));
    yield;
    puppet.submit({ ...get(store, key), slot: 77, flags });
    arenaBytes = 8;
    const [done] = yield;
    expect([done!.status, done!.payload.length]).toEqual([Status.TooBig, 0]);
    puppet.submit(respond(exchange));
    arenaBytes = 4096;
    yield;
  });
  const token = { slot: 77, generation: 1 };
  const expected = { kind: "unhandled", operation: "kv.get", token, request: "GET http://puppet.test/" };
  expect(stage.reports).toMatchObject(reported.map((status) => ({ ...expected, status })));
  for (const { message } of stage.reports) expect(message).not.toBe("");
});

test("rule 4: a request whose head becomes TooBig is not the last one", async () => {
  let arenaBytes = 8;
  const events: Completion[] = [];
  const stage = await puppet({
    run: (puppet) => {
      if (arenaBytes === 8) expect(puppet.imports.poll(COMPLETIONS, 8, ARENA, arenaBytes)).toBe(Status.TooBig);
      const completions = puppet.poll(8, arenaBytes);
      if (arenaBytes === 8) events.push(...completions);
      else puppet.dispatch(completions);
      return completions.length;
    },
  });
  const lost = await stage.proactor.fetch(new Request("http://puppet.test/"));
  expect(lost.status).toBe(500);
  expect(events).toMatchObject([{ status: Status.TooBig, flags: MORE, resource: 0, auxiliary: 0 }]);
  arenaBytes = 4096;
  const next = await stage.serve(function* (exchange, puppet) {
    puppet.submit(respond(exchange));
    yield;
  });
  expect(next.status).toBe(200);
  expect(stage.proactor.counters).toMatchObject({ instantiated: 1, inFlight: 1 });
});

test.for([Status.Invalid, Status.TooBig])(
  "rule 4: what belongs to no request comes first, if it is %i",
  async (status) => {
    const seen: Completion[] = [];
    const stage = await puppet({
      start: (puppet) => {
        puppet.accept();
        puppet.submit({ opcode: Opcode.Accept, slot: 77, arguments: [EventKind.Fetch] });
      },
      run: (puppet) => {
        if (seen.length === 0) {
          expect(puppet.imports.poll(COMPLETIONS, 8, ARENA, 8)).toBe(Status.TooBig);
          // Its message, and not the head of the request that waits behind it.
          const room = puppet.view.getUint32(COMPLETIONS + COMPLETION_PAYLOAD_BYTES, true) - PAYLOAD_ALIGNMENT;
          expect(room).toBe("accept: one is in flight already; call serve() once".length);
        }
        const completions = puppet.poll(1, seen.length === 0 && status === Status.TooBig ? 8 : 4096);
        seen.push(...completions);
        puppet.dispatch(completions);
        return completions.length;
      },
    });
    await stage.serve(function* (exchange, puppet) {
      puppet.submit(respond(exchange));
      yield;
    });
    expect(seen).toMatchObject([
      { slot: 77, status, flags: 0 },
      { status: Status.Ok, flags: MORE },
      { status: Status.Ok, flags: 0 },
    ]);
  },
);

test("rule 4: nothing overtakes what belongs to no request, though that alone does not fit", async () => {
  const polled: unknown[] = [];
  const stage = await puppet({
    run: (puppet) => {
      if (polled.length > 0) polled.push(puppet.imports.poll(COMPLETIONS, 8, ARENA, 0));
      const completions = puppet.poll(8);
      polled.push(completions.map(({ status }) => status));
      puppet.dispatch(completions);
      return completions.length;
    },
  });
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(noop(), cancel(Puppet.ACCEPT_SLOT), respond(exchange));
    yield;
  });
  // The accept, which has come to its end, brings a message.
  expect(polled).toEqual([[Status.Ok], Status.TooBig, [Status.Cancelled, Status.Ok, Status.Ok, Status.Ok]]);
});

test("rule 4: a question about the arena takes nothing out, whatever the guest does before it answers", async () => {
  const taken = await byHand({ a: "a".repeat(100) }, (puppet) => {
    expect(puppet.imports.poll(COMPLETIONS, 256, ARENA, 0)).toBe(Status.TooBig);
    puppet.memory.grow(2);
    puppet.submit({ ...noop(), slot: 900 });
    return puppet.poll().filter(({ slot }) => slot !== 900);
  });
  expect(taken.map(({ payload }) => text(payload))).toEqual(["a".repeat(100)]);
});

test("rule 4: completions without payload need no arena", async () => {
  const stage = await puppet({
    run: (puppet) => {
      const first = stage.border.turns === 1;
      const completions = puppet.poll(256, first ? 4096 : 0);
      puppet.dispatch(completions);
      return completions.length;
    },
  });
  const response = await stage.serve(function* (exchange, puppet) {
    puppet.submit(noop());
    const [done] = yield;
    expect(done!.payload).toHaveLength(0);
    puppet.submit(respond(exchange, 204));
    yield;
  });
  expect(response.status).toBe(204);
});

test("rule 4: the body of a response whose head is too big is given back", async () => {
  const simulation = new Simulation({ delay: [10, 10] });
  const api = simulation.origin(
    "https://api.test",
    () => new Response("body", { headers: { "x-long": "x".repeat(9000) } }),
  );
  let fetching = false;
  const stage = await puppet({
    simulation,
    resources: { API: api },
    run: (puppet) => {
      if (fetching) expect(puppet.imports.poll(COMPLETIONS, 1, ARENA, 4096)).toBe(Status.TooBig);
      fetching = false;
      const completions = puppet.poll(256, 4096);
      puppet.dispatch(completions);
      return completions.length;
    },
  });
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(fetch(puppet.open("API"), "/"));
    fetching = true;
    const [done] = yield;
    expect(done).toMatchObject({ status: Status.TooBig, resource: 0, auxiliary: 0 });
    expect(simulation.openBodies).toBe(0);
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 4: a payload stays where it is until the next poll, whatever is submitted meanwhile", async () => {
  const simulation = new Simulation({ delay: [0, 0] });
  const stage = await puppet({ simulation, resources: { STORE: simulation.kv() } });
  await stage.serve(function* (exchange, puppet) {
    const store = puppet.open("STORE");
    puppet.submit(put(store, "key", "the value"));
    yield;
    puppet.submit(get(store, "key"));
    const [done] = yield;
    puppet.submit(get(store, "key"), noop(), { opcode: 99 }, put(store, "other", "x".repeat(1000)));
    expect(text(puppet.bytes.subarray(done!.at, done!.at + 9))).toBe("the value");
    for (let left = 4; left > 0;) left -= (yield).length;
    puppet.submit(respond(exchange));
    yield;
  });
});
