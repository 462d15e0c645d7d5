import { array, assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { SUBMISSION_DATA, SUBMISSION_DATA_BYTES, Status } from "../../assembly/abi.ts";
import { Failure } from "../../src/failure.ts";
import { Memory, concatenate, encodeBytes } from "../../src/memory.ts";
import { Submission } from "../../src/submission.ts";

const PAGE = 65_536;

test("memory: contains a range exactly if every byte of it lies inside, in numbers of 32 bits, signed or not", () =>
  assert(
    property(
      integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      (at, length) => {
        const memory = new Memory(new WebAssembly.Memory({ initial: 1 }));
        const start = BigInt(at >>> 0);
        expect(memory.contains(at, length)).toBe(start + BigInt(length >>> 0) <= BigInt(PAGE));
      },
    ),
    {
      examples: [
        [0, 0],
        [0, PAGE],
        [PAGE, 0],
        [PAGE, 1],
        [PAGE - 1, 1],
        [PAGE - 1, 2],
        [PAGE + 1, 0],
        [-1, 1],
        [-1, -1],
        [1, -1],
        [-(2 ** 31), -(2 ** 31)],
      ],
    },
  ));

test("memory: sees growth, and nothing of what was before", () => {
  const grown = new WebAssembly.Memory({ initial: 0 });
  const memory = new Memory(grown);
  expect([memory.contains(0, 0), memory.contains(0, 1)]).toEqual([true, false]);
  for (let pages = 1; pages <= 5; pages++) {
    grown.grow(1);
    expect([memory.bytes.length, memory.words.length]).toEqual([pages * PAGE, (pages * PAGE) / 4]);
    expect([memory.contains(0, pages * PAGE), memory.contains(0, pages * PAGE + 1)]).toEqual([true, false]);
  }
});

test.for([3, 10_000])("memory: %d bytes of a submission stay what they were", (bytes) => {
  const guest = new WebAssembly.Memory({ initial: 1 });
  const view = new DataView(guest.buffer);
  view.setUint32(SUBMISSION_DATA, 1000, true);
  view.setUint32(SUBMISSION_DATA_BYTES, bytes, true);
  new Uint8Array(guest.buffer, 1000, bytes).fill(1);
  const submission = new Submission(new Memory(guest));
  submission.moveTo(0, 0);
  const [data, body] = [submission.data(), submission.body()!];
  new Uint8Array(guest.buffer).fill(9);
  guest.grow(1);
  for (const copy of [data, body]) expect([copy.length, copy.every((byte) => byte === 1)]).toEqual([bytes, true]);
  // A store may look at all of the buffer.
  expect(data.buffer.byteLength).toBe(bytes);
});

test("memory: text that is not UTF-8 is Invalid", () => {
  const guest = new WebAssembly.Memory({ initial: 1 });
  const memory = new Memory(guest);
  new Uint8Array(guest.buffer).set([0x61, 0xff], 0);
  expect(memory.text(0, 1)).toBe("a");
  let failure: unknown;
  try {
    memory.text(0, 2);
  } catch (error) {
    failure = error;
  }
  expect(failure).toBeInstanceOf(Failure);
  expect((failure as Failure).status).toBe(Status.Invalid);
});

test("memory: concatenating gives all parts in order", () =>
  assert(
    property(array(array(integer({ min: 0, max: 255 }))), (parts) => {
      expect([...concatenate(parts.map((part) => new Uint8Array(part)))]).toEqual(parts.flat());
    }),
  ));

test("memory: encoded text has the length of its bytes and no more", () => {
  expect(encodeBytes("é").byteLength).toBe(2);
});
