// What has lived long is garbage that is seldom collected: it must not hold what is large.

import { expect, test } from "vitest";
import { COMPLETION_BYTES, Opcode, Status } from "../../assembly/abi.ts";
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

test("garbage: a completion lets go of its payload once it is written, unless that says why it failed", () => {
  const queue = new CompletionQueue(new Memory(new WebAssembly.Memory({ initial: 1 })));
  const payloads = [Status.Ok, Status.Failed].map((status) => {
    const completion = new Completion({ slot: 1, generation: 1, opcode: Opcode.Read });
    completion.status = status;
    completion.payload = new Uint8Array(8);
    queue.begin(0, COMPLETION_BYTES, 1024);
    queue.push(completion);
    return completion.payload;
  });
  expect(payloads).toEqual([null, new Uint8Array(8)]);
});
