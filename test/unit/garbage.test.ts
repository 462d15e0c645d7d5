// What has lived long is garbage that is seldom collected: it must not hold what is large.

import { expect, test } from "vitest";
import { COMPLETION_BYTES, Opcode } from "../../assembly/abi.ts";
import { CompletionQueue } from "../../src/completion-queue.ts";
import { Memory } from "../../src/memory.ts";
import { Completion } from "../../src/operation.ts";
import { Exchange } from "../../src/resource.ts";

test("garbage: an exchange lets go of its answer, and stays answered", () => {
  const exchange = new Exchange(new Request("http://localhost/"));
  const response = new Response("large");
  exchange.answer(response);
  expect(exchange.takeResponse()).toBe(response);
  expect(exchange.takeResponse()).toBeUndefined();
  expect(exchange.answered).toBe(true);
});

test("garbage: a completion lets go of its payload once nobody can ask for it", () => {
  const queue = new CompletionQueue(new Memory(new WebAssembly.Memory({ initial: 1 })));
  const [first, second] = [1, 2].map((slot) => {
    const completion = new Completion({ slot, generation: 1, opcode: Opcode.Read });
    completion.payload = new Uint8Array(8);
    return completion;
  });
  queue.begin(0, 2 * COMPLETION_BYTES, 1024);
  queue.push(first!);
  expect(first!.payload).not.toBeNull();
  queue.push(second!);
  expect([first!.payload, queue.last]).toEqual([null, second]);
  queue.begin(0, 2 * COMPLETION_BYTES, 1024);
  expect(second!.payload).toBeNull();
});
