// Arena: memory that is given out from front to back and taken back all at once.
//
// Two regions, one for each direction. Arguments of submissions are written by the guest and read by the host inside
// `submit`, so a flush empties their region. Payloads of completions are written by the host inside `poll`, so their
// region is overwritten by the next one. Neither needs a single `free`.

import { ARENA_BYTES_MAX } from "./abi";

const ARGUMENTS_BYTES: usize = 8192;
const argumentsStart = memory.data(8192, 8);
let argumentsUsed: usize = 0;

// What did not fit: blocks of the heap, each headed by the address of the next.
const SPILLED_HEAD_BYTES: usize = 8;
let spilled: usize = 0;

/** Room for `bytes` of arguments until the next flush. */
export function takeArguments(bytes: usize): usize {
  const aligned = (bytes + 7) & ~7;
  if (aligned > ARGUMENTS_BYTES - argumentsUsed) return spill(bytes);
  const start = argumentsStart + argumentsUsed;
  argumentsUsed += aligned;
  return start;
}

function spill(bytes: usize): usize {
  const block = heap.alloc(SPILLED_HEAD_BYTES + bytes);
  store<usize>(block, spilled);
  spilled = block;
  return block + SPILLED_HEAD_BYTES;
}

/** Takes all arguments back: the host has copied them. */
export function resetArguments(): void {
  argumentsUsed = 0;
  while (spilled) {
    const next = load<usize>(spilled);
    heap.free(spilled);
    spilled = next;
  }
}

/** Writes `text` as UTF-8 and returns the bytes written, at most three for each UTF-16 unit. */
export function writeText(text: string, at: usize): usize {
  // Unpaired surrogates become U+FFFD, as in every TextEncoder: the host takes nothing but well-formed UTF-8.
  return String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at, false, String.UTF8.ErrorMode.REPLACE);
}

/** Copies text out of a payload. */
export function readText(at: usize, bytes: usize): string {
  return String.UTF8.decodeUnsafe(at, bytes);
}

/** Copies bytes out of a payload. */
export function readBytes(at: usize, bytes: usize): ArrayBuffer {
  const buffer = new ArrayBuffer(<i32>bytes);
  memory.copy(changetype<usize>(buffer), at, bytes);
  return buffer;
}

const PAYLOADS_BYTES_AT_START: usize = 16384;
let payloadsStart: usize = memory.data(16384, 8);
let payloadsCapacity: usize = PAYLOADS_BYTES_AT_START;
let payloadsOnHeap = false;

export function payloads(): usize {
  return payloadsStart;
}

export function payloadsBytes(): u32 {
  return <u32>payloadsCapacity;
}

/** Makes room for a payload of `bytes`. Without effect above the limit: the next `poll` then completes with TooBig. */
export function growPayloads(bytes: u32): void {
  if (bytes > ARENA_BYTES_MAX) return;
  // Doubling bounds the number of growths; the old region holds nothing that is still valid, so nothing is copied.
  let capacity = payloadsCapacity;
  while (capacity < bytes) capacity <<= 1;
  if (payloadsOnHeap) heap.free(payloadsStart);
  payloadsStart = heap.alloc(capacity);
  payloadsCapacity = capacity;
  payloadsOnHeap = true;
}
