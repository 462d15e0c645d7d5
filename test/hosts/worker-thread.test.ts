// The thread of its own: what crosses to it and back is checked by the HTTP suite. Here is what only a thread can do.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseFlags } from "../../hosts/flags.ts";
import { Thread } from "../../hosts/worker-thread/thread.ts";
import { watBytes } from "../../scripts/wat.ts";

/** Answers every request with 204, but never comes back from a POST. */
const GUEST = `(module
  (import "proactor_v1" "submit" (func $submit (param i32 i32) (result i32)))
  (import "proactor_v1" "poll" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func $submission (param $slot i32) (param $opcode i32) (param $resource i32) (param $argument i32)
    (i32.store (i32.const 0x2000) (local.get $slot))
    (i32.store (i32.const 0x2008) (local.get $opcode))
    (i32.store (i32.const 0x200c) (local.get $resource))
    (i32.store (i32.const 0x202c) (local.get $argument))
    (drop (call $submit (i32.const 0x2000) (i32.const 1))))
  (func (export "_initialize") (call $submission (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 1)))
  (func (export "run") (param $budget i32) (result i32)
    (local $count i32)
    (local.set $count (call $poll (i32.const 0) (i32.const 16) (i32.const 0x8000) (i32.const 0x8000)))
    (if (i32.and (i32.load (i32.const 12)) (i32.const 1))
      (then
        ;; The method is the first text behind the lengths of the head's one pair.
        (if (i32.eq (i32.load8_u (i32.const 0x800c)) (i32.const 0x50)) (then (loop $ever (br $ever))))
        (call $submission (i32.const 1) (i32.const 5) (i32.load (i32.const 16)) (i32.const 204))))
    (local.get $count)))`;

const folder = mkdtempSync(join(tmpdir(), "worker-thread-"));
afterAll(() => rmSync(folder, { recursive: true }));

const request = (method: string): Request => new Request("http://here.test/", { method });

test("worker thread: a guest that loops for ever ends its thread; its requests fail, and the next is served", async () => {
  const file = join(folder, "loops.wasm");
  writeFileSync(file, await watBytes(GUEST));
  const thread = await Thread.start(parseFlags([file]), { stallMs: 500 });
  // Again and again: where the machine is busy, a thread that is well may be taken for stuck.
  const serves = () => expect.poll(async () => (await thread.fetch(request("GET"))).status).toBe(204);
  await serves();
  const answers = await Promise.all(["POST", "GET"].map((method) => thread.fetch(request(method))));
  expect(answers.map(({ status }) => status)).toEqual([500, 500]);
  const detail = "The instance that served this request was replaced.";
  expect(await answers[0]!.json()).toEqual({ error: "condemned", detail });
  await serves();
  await thread.shutdown("graceful");
});

test("worker thread: what cannot be served is refused by the start", async () => {
  const file = join(folder, "none.wasm");
  writeFileSync(file, "no module");
  await expect(Thread.start(parseFlags([file]))).rejects.toThrow("the module does not compile");
});
