import { expect, test } from "vitest";
import { COMPLETION_BYTES, MORE, Opcode, RECLAIM, Status } from "../../assembly/abi.ts";
import { CompletionQueue } from "../../src/completion-queue.ts";
import { CompletionRing } from "../../src/completion-ring.ts";
import { Completion, DONE } from "../../src/completion.ts";
import { Memory } from "../../src/memory.ts";

const ARENA = 1024;
const PAYLOAD_BYTES = 64;

const failed = new Completion(Status.Failed, new Uint8Array([1, 2, 3]));
const event = new Completion(Status.Ok, new Uint8Array(PAYLOAD_BYTES), 5, 6, MORE);
const reclaimed = new Completion(Status.ShutDown, undefined, 0, 0, RECLAIM);

function ringOf(...completions: Completion[]): CompletionRing {
  const ring = new CompletionRing();
  completions.forEach((completion, index) =>
    ring.push({ slot: index + 1, generation: 0xffff_ffff, opcode: Opcode.Noop }, completion),
  );
  return ring;
}

test("completion queue: takes no more than there is room for, records and payloads", () => {
  const memory = new Memory(new WebAssembly.Memory({ initial: 1 }));
  const queue = new CompletionQueue(memory);
  const slots = (): number[] => Array.from({ length: 8 }, (_, index) => memory.words[(index * COMPLETION_BYTES) / 4]!);
  const ring = ringOf(failed, DONE, DONE, DONE, DONE, DONE, event, DONE, event, DONE);
  queue.begin(0, ARENA, PAYLOAD_BYTES);
  queue.take(ring, 4);
  expect([queue.length, ring.length, slots()]).toEqual([4, 6, [1, 2, 3, 4, 0, 0, 0, 0]]);
  queue.begin(0, ARENA, PAYLOAD_BYTES);
  queue.take(ring, 100);
  // The second event finds the arena full.
  expect([queue.length, ring.length, slots()]).toEqual([4, 2, [5, 6, 7, 8, 0, 0, 0, 0]]);
});

test("completion queue: counts what is not the last, and what only gives a slot back", () => {
  const queue = new CompletionQueue(new Memory(new WebAssembly.Memory({ initial: 1 })));
  queue.begin(0, ARENA, ARENA);
  queue.take(ringOf(reclaimed, reclaimed, reclaimed, event, event, DONE, DONE), 100);
  expect([queue.length, queue.more, queue.reclaimed]).toEqual([7, 2, 3]);
  queue.begin(0, ARENA, ARENA);
  queue.take(ringOf(DONE), 100);
  expect([queue.length, queue.more, queue.reclaimed]).toEqual([1, 0, 0]);
});

test("completion queue: knows the last of a batch, and how it failed", () => {
  const queue = new CompletionQueue(new Memory(new WebAssembly.Memory({ initial: 1 })));
  queue.begin(0, ARENA, ARENA);
  expect([queue.last, queue.failure]).toEqual([undefined, undefined]);
  queue.take(ringOf(DONE, failed), 100);
  expect([queue.last?.slot, queue.failure]).toEqual([2, failed]);
  queue.begin(0, ARENA, ARENA);
  queue.take(ringOf(failed, DONE), 100);
  expect([queue.last?.slot, queue.failure]).toEqual([2, undefined]);
});
