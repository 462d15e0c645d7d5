// Arena: memory that is given out from front to back and taken back all at once.
//
// Two regions, one for each direction. Arguments of submissions are written by the guest and read by the host inside
// `submit`, so a flush empties their region. Payloads of completions are written by the host inside `poll`, so their
// region is overwritten by the next one. Neither needs a single `free`.

import { ARENA_BYTES_MAX } from "./abi";
import { decodeUtf8 } from "./utf8";

const ARGUMENTS_BYTES: usize = 4096;
const argumentsStart = heap.alloc(ARGUMENTS_BYTES);
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

/** Copies text out of a payload. */
export function readText(at: usize, bytes: u32): string {
  return decodeUtf8(at, bytes);
}

/** Copies bytes out of a payload. */
export function readBytes(at: usize, bytes: u32): ArrayBuffer {
  // What the constructor does, without its check: a payload is never too large to be copied.
  const buffer = __new(bytes, idof<ArrayBuffer>());
  memory.copy(buffer, at, bytes);
  return changetype<ArrayBuffer>(buffer);
}

let payloadsCapacity: usize = 4096;
let payloadsStart = heap.alloc(payloadsCapacity);

export function payloads(): usize {
  return payloadsStart;
}

export function payloadsBytes(): u32 {
  return <u32>payloadsCapacity;
}

/** Makes room for a payload of `bytes`. Without effect above the limit: the next `poll` then completes with TooBig. */
export function growPayloads(bytes: u32): void {
  if (bytes > ARENA_BYTES_MAX) return;
  // Half as much again as is needed bounds the number of growths: not every runtime can use the old region for anything
  // else. It holds nothing that is still valid, so nothing is copied.
  payloadsCapacity = min(bytes + (bytes >> 1), ARENA_BYTES_MAX);
  heap.free(payloadsStart);
  payloadsStart = heap.alloc(payloadsCapacity);
}
