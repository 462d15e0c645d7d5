// Rule 1: `submit` never completes inline. The host copies the batch and its arguments, starts the work and returns.
// No import ever calls an export. The border guard watches both in every test of this folder.

import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { kv, origin } from "../../src/index.ts";
import type { KvStore, Proactor } from "../../src/index.ts";
import { memoryKv } from "../../src/kv-memory.ts";
import { encodePairs } from "../../src/pairs.ts";
import { Simulation } from "../../src/testing/index.ts";
import type { Exports } from "./border.ts";
import { guest } from "./guest.ts";
import {
  ARGUMENTS,
  MEMORY_BYTES,
  cancel,
  close,
  fetch,
  get,
  noop,
  puppet,
  put,
  respond,
  text,
  timer,
} from "./puppet.ts";
import type { Submission } from "./puppet.ts";

test.for<[string, Submission]>([
  ["noop", noop()],
  ["timer of 0 ms", timer(0)],
  ["cancel", cancel(77)],
  ["close", close(77)],
  ["unknown opcode", { opcode: 999 }],
  ["misused resource", get(77, "key")],
])("rule 1: %s completes on a later turn, whatever its outcome", async ([, submission]) => {
  const stage = await puppet();
  const turns: number[] = [];
  await stage.serve(function* (exchange, puppet) {
    turns.push(stage.border.turns);
    expect(puppet.submit(submission)).toBe(1);
    const completions = yield;
    turns.push(stage.border.turns);
    expect(completions).toHaveLength(1);
    puppet.submit(respond(exchange));
  });
  expect(turns[1]).toBeGreaterThan(turns[0]!);
});

test("rule 1: a response's completion comes on a later turn too", async () => {
  const stage = await puppet();
  let turn = 0;
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(respond(exchange));
    turn = stage.border.turns;
    const [done] = yield;
    expect(done!.status).toBe(Status.Ok);
    expect(stage.border.turns).toBeGreaterThan(turn);
  });
  expect(turn).toBe(1);
});

test("rule 1: the guest may overwrite what it submitted as soon as submit returns", async () => {
  const sent: string[] = [];
  const simulation = new Simulation();
  const store = memoryKv(simulation.clock);
  const resources = {
    STORE: simulation.kv({ store }),
    API: simulation.origin("https://api.test", async (request) => {
      sent.push(`${request.method} ${request.url} ${request.headers.get("x-name")} ${await request.text()}`);
      return new Response();
    }),
  };
  const stage = await puppet({ simulation, resources });
  const response = await stage.serve(function* (exchange, puppet) {
    const [kvNumber, origin] = [puppet.open("STORE"), puppet.open("API")];
    const scribble = (): void => void puppet.bytes.fill(0xaa, 0, MEMORY_BYTES);
    puppet.submit(
      { ...put(kvNumber, "key", "value"), meta: '{"a":1}' },
      { ...fetch(origin, "/page", "POST", [["x-name", "header"]]), data: "body" },
    );
    scribble();
    const done = yield;
    if (done.length < 2) yield;
    scribble();
    puppet.submit({ ...respond(exchange, 201, "answer"), meta: encodePairs([["x-answer", "header"]]) });
    scribble();
    yield;
  });
  expect(sent).toEqual(["POST https://api.test/page header body"]);
  const kept = await store.getWithMetadata("key", { type: "arrayBuffer" });
  expect([text(new Uint8Array(kept.value!)), kept.metadata]).toEqual(["value", { a: 1 }]);
  expect([response.status, response.headers.get("x-answer"), await response.text()]).toEqual([201, "header", "answer"]);
});

test.for(["pooled", "shared"] as const)(
  "rule 1: a grant that calls the proactor back does not run the guest inside submit, isolation %s",
  async (isolation) => {
    let proactor: Proactor | undefined;
    const api = origin("https://api.test", {
      fetcher: { fetch: (url) => proactor!.fetch(new Request(url)) },
    });
    const stage = await puppet({ isolation, resources: { API: api } });
    proactor = stage.proactor;
    const outer = stage.send(function* (exchange, puppet) {
      stage.expecting(function* (exchange, puppet) {
        puppet.submit(respond(exchange, 203));
        yield;
      });
      puppet.submit(fetch(puppet.open("API"), "/"));
      const [done] = yield;
      puppet.submit(respond(exchange, 200, `the inner status is ${done!.auxiliary}`));
      yield;
    });
    const response = await stage.simulation.run(outer);
    stage.rethrow();
    expect(await response.text()).toBe("the inner status is 203");
    expect(stage.proactor.counters).toMatchObject({ contexts: 0, traps: 0 });
  },
);

/** A store whose every method is this one. */
const storeOf = (method: () => unknown): KvStore =>
  ({ get: method, getWithMetadata: method, put: method, delete: method, list: method }) as never;

test.for<[string, () => unknown, Status]>([
  [
    "throws at once",
    () => {
      throw new Error("at once");
    },
    Status.Failed,
  ],
  ["answers at once", () => new ArrayBuffer(3), Status.Ok],
])("rule 1: a store that %s completes on a later turn", async ([, method, status]) => {
  const stage = await puppet({ resources: { STORE: kv(storeOf(method)) } });
  await stage.serve(function* (exchange, puppet) {
    const store = puppet.open("STORE");
    // More than there are connections: one that fails must be given back.
    for (let round = 0; round < 10; round++) {
      expect(puppet.submit(get(store, "key"))).toBe(1);
      const [done] = yield;
      expect(done!.status).toBe(status);
    }
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 1: a guest that is called inside a call refuses, and loses nothing", async () => {
  let run: Exports["run"] | undefined;
  const answers = new Set<number>();
  // While the module starts, nobody can call run.
  let started = false;
  const { ask } = await guest("test/contract", {
    memory: false,
    exports: (exports) => {
      run = exports.run;
      return {};
    },
    imports: (imports) => {
      const calling =
        (name: string) =>
        (...args: number[]) => {
          if (started) answers.add(run!(256));
          return imports["proactor_v1"]![name]!(...args);
        };
      return {
        ...imports,
        proactor_v1: { ...imports["proactor_v1"], submit: calling("submit"), poll: calling("poll") },
      };
    },
  });
  started = true;
  expect(await ask("/chain?n=10")).toEqual({ status: 200, text: "10" });
  expect([...answers]).toEqual([Status.Again]);
});

test("rule 1: outside of a call into the module every import refuses and changes nothing", async () => {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(respond(exchange));
    yield;
  });
  const before = { ...stage.proactor.counters };
  const { imports } = stage.puppets[0]!;
  expect(imports.submit(0, 1)).toBe(Status.Invalid);
  expect(imports.poll(0, 1, 0, 0)).toBe(Status.Invalid);
  expect(imports.open(ARGUMENTS, 1)).toBe(Status.Invalid);
  expect(stage.proactor.counters).toEqual(before);
});
