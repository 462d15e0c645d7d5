// Rule 2: the host touches linear memory only inside an import call, in the ranges that this call named. So neither
// growth nor garbage collection can hurt it.

import { expect, test } from "vitest";
import { CancelResult, FETCH_BODY, KV_METADATA, Opcode, SUBMISSION_BYTES, Status } from "../../assembly/abi.ts";
import { kv } from "../../src/index.ts";
import { memoryKv } from "../../src/kv-memory.ts";
import { decodePairs } from "../../src/pairs.ts";
import { Simulation } from "../../src/testing/index.ts";
import {
  ARENA,
  COMPLETIONS,
  SUBMISSIONS,
  cancel,
  fetch,
  get,
  noop,
  puppet,
  put,
  read,
  respond,
  text,
  timer,
} from "./puppet.ts";
import type { Completion, PuppetOptions, Script } from "./puppet.ts";

/** Every operation once, one after the other; answers with what each came to. */
const tour: Script = function* (exchange, puppet) {
  const lines: string[] = [];
  const note = (done: Completion | undefined, payload = ""): void =>
    void lines.push(`${done!.status} ${done!.auxiliary} ${payload}`);
  const [store, api] = [puppet.open("STORE"), puppet.open("API")];
  puppet.submit(noop(), timer(5));
  for (let left = 2; left > 0;) {
    const taken = yield;
    for (const done of taken) note(done);
    left -= taken.length;
  }
  puppet.submit(read(exchange));
  let [done] = yield;
  note(done, text(done!.payload));
  puppet.submit({ ...put(store, "key", "v".repeat(1000)), meta: '{"m":1}' });
  [done] = yield;
  note(done);
  puppet.submit({ ...get(store, "key"), flags: KV_METADATA });
  [done] = yield;
  note(done, text(done!.payload));
  puppet.submit({ opcode: Opcode.KvList, resource: store });
  [done] = yield;
  note(done, JSON.stringify(decodePairs(done!.payload, 0, done!.payload.length)));
  puppet.submit({ opcode: Opcode.KvDelete, resource: store, name: "key" });
  [done] = yield;
  note(done);
  puppet.submit({ ...fetch(api, "/page"), flags: FETCH_BODY });
  [done] = yield;
  note(done, text(done!.payload));
  puppet.submit({ ...timer(1000), slot: 500 });
  puppet.submit(cancel(500));
  const both = yield;
  expect(both.map(({ slot, auxiliary }) => (slot === 500 ? "" : auxiliary))).toContain(CancelResult.Won);
  puppet.submit(respond(exchange, 200, lines.join("\n")));
  yield;
};

async function walk(options: PuppetOptions): Promise<{ answer: string; pages: number }> {
  const simulation = new Simulation({ delay: [10, 10] });
  const resources = {
    STORE: simulation.kv(),
    API: simulation.origin("https://api.test", () => new Response("page", { headers: { "x-a": "b" } })),
  };
  const stage = await puppet({ simulation, resources, ...options });
  const response = await stage.serve(tour, new Request("http://puppet.test/", { method: "POST", body: "sent" }));
  return { answer: await response.text(), pages: stage.puppets[0]!.memory.buffer.byteLength / 65_536 };
}

test("rule 2: memory that grows between any two steps changes no result", async () => {
  const steady = await walk({});
  const growing = await walk({ growing: true });
  expect(steady.answer.split("\n")).toHaveLength(8);
  expect(growing.answer).toBe(steady.answer);
  expect(growing.pages).toBeGreaterThan(steady.pages + 30);
});

test("rule 2: memory that an owner's store grows in the middle of a batch loses none of it", async () => {
  let memory: WebAssembly.Memory;
  const value = new TextEncoder().encode("value").buffer;
  const store = { ...memoryKv(), get: async () => (memory.grow(1), value) };
  const stage = await puppet({ memory: false, resources: { STORE: kv(store) } });
  await stage.serve(function* (exchange, puppet) {
    const slots = [11, 12, 13];
    const number = puppet.open("STORE");
    memory = puppet.memory;
    expect(puppet.submit(...slots.map((slot) => ({ ...get(number, "key"), slot })))).toBe(slots.length);
    const done: Completion[] = [];
    while (done.length < slots.length) done.push(...(yield));
    expect(done.map(({ slot, status, payload }) => [slot, status, text(payload)])).toEqual(
      slots.map((slot) => [slot, Status.Ok, "value"]),
    );
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 2: nothing is read between two calls", async () => {
  // What the guest scribbles over its memory whenever it has control must reach nobody.
  const answer = (
    await walk({
      run: (puppet, budget) => {
        puppet.bytes.fill(0xee);
        const completions = puppet.poll(Math.min(budget, 256));
        puppet.dispatch(completions);
        puppet.bytes.fill(0xdd);
        return completions.length;
      },
    })
  ).answer;
  expect(answer).toBe((await walk({})).answer);
});

test("rule 2: poll writes the records and payloads that it answers for, and not one byte more", async () => {
  const stage = await puppet();
  await stage.serve(
    function* (exchange, puppet) {
      const canary = puppet.bytes.slice();
      puppet.submit(noop(), noop(), read(exchange));
      yield;
      // The guard has compared the rest of memory; here, the unused end of both ranges.
      const after = puppet.bytes;
      expect(after.subarray(COMPLETIONS + 3 * 32, SUBMISSIONS)).toEqual(
        canary.subarray(COMPLETIONS + 3 * 32, SUBMISSIONS),
      );
      expect(after.subarray(ARENA + 256, ARENA + 4096)).toEqual(canary.subarray(ARENA + 256, ARENA + 4096));
      puppet.submit(respond(exchange));
      yield;
    },
    new Request("http://puppet.test/", { method: "POST", body: "sent" }),
  );
});

test("rule 2: records at the very end of memory are read and written like any others", async () => {
  const stage = await puppet({
    run: (puppet) => {
      const end = puppet.memory.buffer.byteLength;
      const count = puppet.imports.poll(end - 32, 1, ARENA, 4096);
      const completion = puppet.read(end - 32);
      puppet.dispatch(count === 1 ? [completion] : []);
      return count;
    },
  });
  await stage.serve(function* (exchange, puppet) {
    const at = puppet.memory.buffer.byteLength - SUBMISSION_BYTES;
    puppet.write(respond(exchange, 202), at);
    expect(puppet.imports.submit(at, 1)).toBe(1);
    const [done] = yield;
    expect(done!.status).toBe(Status.Ok);
  });
});
