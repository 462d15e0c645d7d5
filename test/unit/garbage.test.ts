// What has lived long is garbage that is seldom collected: it must not hold what is large.

import { expect, test } from "vitest";
import { COMPLETION_BYTES, Opcode, Status } from "../../assembly/abi.ts";
import { CompletionQueue } from "../../src/completion-queue.ts";
import { CompletionRing } from "../../src/completion-ring.ts";
import { Completion, DONE } from "../../src/completion.ts";
import { Memory } from "../../src/memory.ts";
import { Exchange } from "../../src/resource.ts";

test("garbage: an exchange lets go of its answer, and stays answered", () => {
  const exchange = new Exchange(new Request("http://localhost/"));
  const response = new Response("large");
  exchange.answer(response);
  expect(exchange.takeResponse()).toBe(response);
  expect(exchange.takeResponse()).toBeUndefined();
  expect(exchange.answered).toBe(true);
});

test("garbage: a completion is let go of once it is written, unless it says why something failed", () => {
  const queue = new CompletionQueue(new Memory(new WebAssembly.Memory({ initial: 1 })));
  const ring = new CompletionRing();
  const failures = [Status.Ok, Status.Failed].map((status) => {
    const completion = new Completion(status, new Uint8Array(8));
    ring.push({ slot: 1, generation: 1, opcode: Opcode.Read }, completion);
    queue.begin(0, COMPLETION_BYTES, 1024);
    queue.take(ring, 1);
    expect(queue.length).toBe(1);
    // What is in its place now: rings are as old as their requests.
    expect(ring.first).toBe(DONE);
    return queue.failure === completion;
  });
  expect(failures).toEqual([false, true]);
  queue.begin(0, COMPLETION_BYTES, 1024);
  expect(queue.failure).toBeUndefined();
});
