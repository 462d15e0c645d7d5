// Rule 11: the guest is not trusted. Every pointer, length, count, opcode and reserved bit is checked. A fault in one
// submission is that submission's completion; nonsense in the call itself is the call's error.

import { assert, asyncProperty, constantFrom, integer, oneof, record, tuple, uint8Array } from "fast-check";
import { expect, test } from "vitest";
import {
  OPCODE_COUNT,
  Opcode,
  RESOURCE_NAME_BYTES_MAX,
  SLOT_COUNT_MAX,
  SUBMISSION_BYTES,
  SUBMIT_COUNT_MAX,
  Status,
  TIMER_MS_MAX,
} from "../../assembly/abi.ts";
import { Simulation } from "../../src/testing/index.ts";
import {
  ARENA,
  ARENA_BYTES,
  ARGUMENTS,
  COMPLETIONS,
  MEMORY_BYTES,
  SUBMISSIONS,
  cancel,
  noop,
  puppet,
  respond,
  timer,
} from "./puppet.ts";
import type { Puppet, Submission } from "./puppet.ts";

/** Runs `attack` in the middle of a request; whatever it does, the request is answered and nothing is left. */
async function withstand(attack: (puppet: Puppet, exchange: number) => void): Promise<void> {
  const stage = await puppet();
  const response = await stage.serve(function* (exchange, puppet) {
    attack(puppet, exchange);
    puppet.submit(respond(exchange, 204));
    yield;
  });
  expect(response.status).toBe(204);
  await stage.settle();
  expect(stage.proactor.counters).toMatchObject({ contexts: 0, inFlight: 1, traps: 0 });
  expect(stage.reports).toEqual([]);
}

/** Submits all at once and expects one status for each. */
async function expectStatuses(cases: readonly (readonly [Submission, Status])[]): Promise<void> {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    for (const [submission, status] of cases) {
      expect(puppet.submit(submission)).toBe(1);
      const [done] = yield;
      expect([submission, done!.status]).toEqual([submission, status]);
    }
    puppet.submit(respond(exchange));
    yield;
  });
}

const OUTSIDE = [
  { at: 0xffff_ffff, bytes: 1 },
  { at: MEMORY_BYTES, bytes: 1 },
  { at: MEMORY_BYTES - 1, bytes: 2 },
  { at: 0, bytes: MEMORY_BYTES + 1 },
  { at: 0x8000_0000, bytes: 0x1_0000 },
  { at: 0xffff_0000, bytes: 0x2_0000 },
  { at: 1, bytes: 0xffff_ffff },
  { at: 0xffff_ffff, bytes: 0xffff_ffff },
];

test.for(["name", "data", "meta"] as const)(
  "rule 11: %s that lies outside memory is a Fault, for every opcode",
  (field) => {
    const opcodes = Array.from({ length: OPCODE_COUNT }, (_, opcode) => opcode);
    return expectStatuses(
      opcodes.flatMap((opcode) => OUTSIDE.map((range) => [{ opcode, [field]: range }, Status.Fault] as const)),
    );
  },
);

test("rule 11: a range may begin anywhere if it is empty, and end where memory ends", () =>
  expectStatuses([
    [{ ...noop(), name: { at: 0xffff_ffff, bytes: 0 }, data: { at: MEMORY_BYTES, bytes: 0 } }, Status.Ok],
    [{ ...noop(), meta: { at: MEMORY_BYTES - 4, bytes: 4 } }, Status.Ok],
    [{ ...noop(), meta: { at: 0, bytes: MEMORY_BYTES } }, Status.Ok],
  ]));

test("rule 11: ranges may overlap each other and the submission itself", () =>
  expectStatuses([
    [
      { ...noop(), name: { at: 100, bytes: 500 }, data: { at: 200, bytes: 500 }, meta: { at: SUBMISSIONS, bytes: 64 } },
      Status.Ok,
    ],
  ]));

test("rule 11: every opcode that is not known is NotSupported, every flag and reserved bit Invalid", () =>
  expectStatuses([
    ...[OPCODE_COUNT, 100, 0x7fff, 0x8000, 0xffff].map((opcode) => [{ opcode }, Status.NotSupported] as const),
    // DETACHED is the one flag that every operation has.
    ...Array.from({ length: 15 }, (_, bit) => [{ ...noop(), flags: 1 << bit }, Status.Invalid] as const),
    ...Array.from({ length: 32 }, (_, bit) => [{ ...noop(), reserved: (1 << bit) >>> 0 }, Status.Invalid] as const),
    [{ ...noop(), flags: 0x8000 }, Status.Ok],
  ]));

test("rule 11: an operation's flag is reserved on every other operation", () =>
  expectStatuses(
    [
      Opcode.Noop,
      Opcode.Cancel,
      Opcode.Close,
      Opcode.Timer,
      Opcode.Read,
      Opcode.KvPut,
      Opcode.KvDelete,
      Opcode.KvList,
    ].map((opcode) => [{ opcode, flags: 1 }, Status.Invalid] as const),
  ));

test("rule 11: a slot or a deadline over its limit is Invalid, the largest allowed is not", () =>
  expectStatuses([
    [{ ...noop(), slot: SLOT_COUNT_MAX - 1 }, Status.Ok],
    [{ ...noop(), slot: SLOT_COUNT_MAX }, Status.Invalid],
    [{ ...noop(), slot: 0xffff_ffff }, Status.Invalid],
    [{ ...noop(), deadline: TIMER_MS_MAX }, Status.Ok],
    [{ ...noop(), deadline: TIMER_MS_MAX + 1 }, Status.Invalid],
    [{ ...noop(), deadline: 0xffff_ffff }, Status.Invalid],
    [timer(0xffff_ffff), Status.Invalid],
  ]));

test("rule 11: a slot that is in flight is refused to a second operation, and the first goes on", async () => {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    puppet.submit({ ...timer(50), slot: 7, generation: 1 }, { ...timer(20), slot: 7, generation: 2 });
    expect(yield).toMatchObject([{ slot: 7, generation: 2, status: Status.Invalid }]);
    expect(yield).toMatchObject([{ slot: 7, generation: 1, status: Status.Ok }]);
    expect(stage.simulation.clock.now()).toBe(50);
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 11: a bad submission harms none of its batch", async () => {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(
      noop(),
      { opcode: 999 },
      noop(),
      { ...noop(), name: OUTSIDE[0]! },
      { ...noop(), reserved: 1 },
      noop(),
    );
    expect((yield).map(({ status }) => status)).toEqual([
      Status.Ok,
      Status.NotSupported,
      Status.Ok,
      Status.Fault,
      Status.Invalid,
      Status.Ok,
    ]);
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 11: submit refuses a call that makes no sense, and takes nothing", () =>
  withstand(({ imports: { submit } }) => {
    for (const misaligned of [1, 2, 3, SUBMISSIONS + 1]) expect(submit(misaligned, 1)).toBe(Status.Fault);
    expect(submit(MEMORY_BYTES, 1)).toBe(Status.Fault);
    expect(submit(MEMORY_BYTES - 60, 1)).toBe(Status.Fault);
    expect(submit(MEMORY_BYTES - SUBMISSION_BYTES, 2)).toBe(Status.Fault);
    expect(submit(-SUBMISSION_BYTES, 1)).toBe(Status.Fault);
    expect(submit(-SUBMISSION_BYTES, 2)).toBe(Status.Fault);
    expect(submit(0x7fff_fffc, 1)).toBe(Status.Fault);
    expect(submit(0, SUBMIT_COUNT_MAX + 1)).toBe(Status.TooBig);
    expect(submit(0, -1)).toBe(Status.TooBig);
    expect(submit(0, 0x8000_0000 | 0)).toBe(Status.TooBig);
    // 2^26 records are 2^32 bytes, which are 0 in 32 bits.
    expect(submit(0, 0x400_0000)).toBe(Status.TooBig);
    expect(submit(0, 0)).toBe(0);
    expect(submit(MEMORY_BYTES, 0)).toBe(0);
  }));

test("rule 11: poll refuses a call that makes no sense, and nothing is lost", async () => {
  let attacked = 0;
  const stage = await puppet({
    run: (puppet, budget) => {
      const { poll } = puppet.imports;
      const end = MEMORY_BYTES;
      const nonsense: [number, number, number, number][] = [
        [1, 1, ARENA, 64],
        [2, 1, ARENA, 64],
        [end, 1, ARENA, 64],
        [end - 28, 1, ARENA, 64],
        [-32, 1, ARENA, 64],
        [COMPLETIONS, 1, end, 1],
        [COMPLETIONS, 1, end + 1, 0],
        [COMPLETIONS, 1, 0, end + 1],
        [COMPLETIONS, 1, -8, 8],
        [COMPLETIONS, 1, -8, 16],
        [COMPLETIONS, 1, 8, -1],
        [COMPLETIONS, 1, -1, -1],
      ];
      for (const args of nonsense) expect([args, poll(...args)]).toEqual([args, Status.Fault]);
      attacked++;
      // However much room the guest claims to have, only what there is to write must lie inside.
      expect(poll(end - 8192, 0, ARENA, ARENA_BYTES)).toBe(0);
      const count = poll(COMPLETIONS, -1, ARENA, ARENA_BYTES);
      const completions = Array.from({ length: count }, (_, index) => puppet.read(COMPLETIONS + index * 32));
      expect(count).toBeLessThanOrEqual(budget);
      puppet.dispatch(completions);
      return count;
    },
  });
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(noop(), noop(), timer(3));
    expect(yield).toHaveLength(2);
    expect(yield).toHaveLength(1);
    puppet.submit(respond(exchange));
    yield;
  });
  expect(attacked).toBe(4);
});

test("rule 11: open refuses a call that makes no sense", () =>
  withstand(({ imports: { open } }) => {
    expect(open(MEMORY_BYTES, 1)).toBe(Status.Fault);
    expect(open(MEMORY_BYTES - 1, 2)).toBe(Status.Fault);
    expect(open(-1, 1)).toBe(Status.Fault);
    expect(open(-1, 2)).toBe(Status.Fault);
    expect(open(0, -1)).toBe(Status.TooBig);
    expect(open(0, RESOURCE_NAME_BYTES_MAX + 1)).toBe(Status.TooBig);
  }));

test("rule 11: abort takes what it can get of its texts, and always ends the call", async () => {
  const texts: [number, number, string][] = [
    [ARGUMENTS, 5, "hello"],
    [ARGUMENTS, 0, ""],
    [MEMORY_BYTES, 1, ""],
    [-1, -1, ""],
    [ARGUMENTS, 0x7fff_ffff, `hello${"\0".repeat(1019)}`],
    [MEMORY_BYTES - 3, 4, ""],
  ];
  for (const [at, bytes, message] of texts) {
    const stage = await puppet();
    const response = await stage.serve(function* (_, puppet) {
      puppet.bytes.set(new TextEncoder().encode("hello"), ARGUMENTS);
      yield* [];
      puppet.trap(at, bytes, at, bytes, -1, 7);
    });
    expect(response.status).toBe(500);
    expect(stage.reports).toMatchObject([{ kind: "trap", message }]);
    if (message) expect(stage.reports[0]).toMatchObject({ file: message, line: 0xffff_ffff, column: 7 });
  }
});

test("rule 11: no batch of any bytes makes the host throw, hang or lose count", () => {
  const word = oneof(
    integer({ min: 0, max: 16 }),
    integer({ min: 0, max: 0xffff_ffff }),
    constantFrom(0x8000_0000, 0xffff_ffff, MEMORY_BYTES, MEMORY_BYTES - 1, SUBMISSIONS),
  );
  // Likely enough to be something: an opcode, a resource that there is, flags.
  const plausible = record({
    slot: integer({ min: 1, max: 40 }),
    opcode: integer({ min: 0, max: OPCODE_COUNT }),
    flags: constantFrom(0, 0, 0, 1, 0x8000, 0xffff),
    resource: integer({ min: 0, max: 8 }),
    deadline: constantFrom(0, 0, 5, 0xffff_ffff),
    name: record({ at: word, bytes: word }),
    data: record({ at: word, bytes: word }),
    meta: record({ at: word, bytes: word }),
    arguments: tuple(word, word, word, word),
    reserved: constantFrom(0, 0, 0, 1),
  });
  const batch = oneof(
    { weight: 3, arbitrary: uint8Array({ minLength: SUBMISSION_BYTES, maxLength: SUBMISSION_BYTES }) },
    { weight: 7, arbitrary: plausible },
  );
  return assert(
    asyncProperty(integer(), tuple(batch, batch, batch, batch, batch, batch, batch, batch), async (seed, records) => {
      const simulation = new Simulation({ seed, delay: [0, 20] });
      const resources = {
        STORE: simulation.kv(),
        API: simulation.origin("https://api.test", () => new Response("body")),
      };
      const stage = await puppet({ simulation, resources, limits: { inFlight: 64 } });
      const { proactor, reports } = stage;
      const response = await stage.serve(
        function* (exchange, puppet) {
          const held = [puppet.open("STORE"), puppet.open("API"), exchange];
          records.forEach((record, index) => {
            const at = SUBMISSIONS + index * SUBMISSION_BYTES;
            if (record instanceof Uint8Array) puppet.bytes.set(record, at);
            else puppet.write({ ...record, resource: held[record.resource] ?? record.resource }, at);
          });
          const admitted = puppet.imports.submit(SUBMISSIONS, records.length);
          expect(admitted).toBeGreaterThanOrEqual(0);
          // Whatever was started, this answers, or finds that it was answered.
          puppet.submit({ ...respond(exchange, 204), slot: 50 }, { ...noop(), slot: 51 });
          for (let waiting = true; waiting;) {
            for (const { slot } of yield) if (slot === 51) waiting = false;
          }
          // Cancel what a random timer would wait for.
          puppet.submit(...records.map((_, index) => cancel(index)));
          for (let slot = 0; slot < 41; slot++) {
            for (const generation of [0, 1]) puppet.submit({ ...cancel(slot, generation), slot: 60 });
          }
        },
        new Request("http://puppet.test/", { method: "POST", body: "sent" }),
      );
      expect(response.status).toBeGreaterThanOrEqual(200);
      // It may have closed its exchange.
      expect(reports.filter(({ kind }) => kind !== "unhandled" && kind !== "unanswered")).toEqual([]);
      await simulation.settle();
      expect(proactor.counters).toMatchObject({ contexts: 0, traps: 0 });
      expect(proactor.counters.inFlight).toBeLessThanOrEqual(1);
      expect([simulation.openBodies, simulation.clock.size]).toEqual([0, 0]);
    }),
    { numRuns: 150 },
  );
});
