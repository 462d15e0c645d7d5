// Response head: the status and headers of a response to come, as the platform reads them fastest.
//
// A guest sends the same few heads again and again. Out of another Response the platform copies a head without asking
// for a property, which costs a small answer a twentieth less. So a head that comes again is kept as one without a body.

import { decodePairs, recordOf } from "./pairs.ts";

/** Kept heads have different places if their lists have different lengths, for the most part. */
const PLACES = 16;
/** Longer lists are not kept. */
const KEPT_BYTES_MAX = 1024;

interface KeptHead {
  readonly status: number;
  /** The list of pairs, as the guest sent it. */
  readonly list: Uint8Array;
  readonly init: ResponseInit;
  /** What is read instead from the second time on. */
  again?: ResponseInit;
}

const kept: (KeptHead | undefined)[] = [];

/** Throws Invalid as `decodePairs` does, and what the platform throws for names and values that HTTP does not allow. */
export function responseHead(status: number, bytes: Uint8Array, at: number, length: number): ResponseInit {
  const head = kept[length % PLACES];
  if (head?.status === status && isSame(head.list, bytes, at, length)) return (head.again ??= bodiless(head.init));
  const init = { status, headers: recordOf(decodePairs(bytes, at, length)) };
  if (length <= KEPT_BYTES_MAX) kept[length % PLACES] = { status, list: bytes.slice(at, at + length), init };
  return init;
}

function bodiless(init: ResponseInit): ResponseInit {
  const response = new Response(null, init);
  // A name that repeats may have become one header, whose joined values another copy would trim once more.
  return [...response.headers].length === Object.keys(init.headers!).length ? response : init;
}

function isSame(list: Uint8Array, bytes: Uint8Array, at: number, length: number): boolean {
  if (length !== list.length) return false;
  for (let index = 0; index < length; index++) if (bytes[at + index] !== list[index]) return false;
  return true;
}
