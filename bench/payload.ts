// Payload: the bytes of the copy workloads, and the store that they come from and go to.
//
// The store copies nothing, so that what is measured is what lies between it and the program that wants the bytes.

import { memoryKv } from "wasm-proactor/testing";
import type { KvStore } from "wasm-proactor";

const made = new Map<number, ArrayBuffer>();

/** So many bytes that count up. The same buffer each time. */
export function payload(size: number): ArrayBuffer {
  let bytes = made.get(size);
  if (!bytes) made.set(size, (bytes = Uint8Array.from({ length: size }, (_, index) => index).buffer));
  return bytes;
}

/** Both ends are enough to tell a payload that was cut off, moved or not written. */
export function checkPayload(buffer: ArrayBuffer | null, size: number): void {
  if (buffer?.byteLength !== size) throw new Error(`${buffer?.byteLength} bytes, not ${size}`);
  if (size === 0) return;
  const bytes = new Uint8Array(buffer);
  if (bytes[0] !== 0 || bytes[size - 1] !== ((size - 1) & 0xff)) throw new Error("other bytes than were sent");
}

/** Its keys are sizes. */
export const payloads: KvStore = {
  ...memoryKv(),
  get: async (key) => payload(Number(key)),
  put: async (key, value) => checkPayload(value, Number(key)),
};
