// Address: strings and buffers named by where they lie, for functions that only read and write bytes.
//
// Whoever passes on a reference first stores it on the collector's shadow stack, in more code than most of these
// functions have. Whoever passes an address holds the object elsewhere meanwhile: in a field, or in its own parameter.

import { OBJECT, TOTAL_OVERHEAD } from "rt/common";

/** Bytes of an ArrayBuffer or a string. */
export function bytesAt(object: usize): u32 {
  return changetype<OBJECT>(object - TOTAL_OVERHEAD).rtSize;
}

/** UTF-16 units of a string. */
export function unitsAt(text: usize): u32 {
  return bytesAt(text) >>> 1;
}
