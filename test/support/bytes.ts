// Bytes: content whose every byte a test can check, quickly enough for megabytes of it.

import { expect } from "vitest";

/** The byte at an offset. No power of two divides the period, so that no shifted chunk goes unseen. */
export const byteAt = (offset: number): number => offset % 251;

/** The bytes at the offsets from `start` to `end`. */
export function bytesOf(end: number, start = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(end - start);
  for (let index = 0; index < bytes.length; index++) bytes[index] = byteAt(start + index);
  return bytes;
}

/** Expects that the body is exactly these bytes. */
export async function expectBytes(response: Response, expected: Uint8Array): Promise<void> {
  const actual = await response.bytes();
  expect(actual.length).toBe(expected.length);
  expect(Buffer.compare(actual, expected), "the bytes differ").toBe(0);
}

/** What a program may put into a stream, and is no bytes. */
export const NO_BYTES: readonly (readonly [what: string, chunk: unknown])[] = [
  ["text", "text"],
  ["an ArrayBuffer", new ArrayBuffer(4)],
  ["a Uint16Array", new Uint16Array(2)],
];

export const streamOf = (chunk: unknown): ReadableStream =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(chunk);
      controller.close();
    },
  });
