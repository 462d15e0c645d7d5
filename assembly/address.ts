// Address: strings and buffers named by where they lie, for functions that only read and write bytes.
//
// Whoever passes on a reference first stores it on the collector's shadow stack, in more code than most of these
// functions have. Whoever passes an address holds the object elsewhere meanwhile: in a field, or in its own parameter.

import { OBJECT, TOTAL_OVERHEAD } from "rt/common";
import { Runtime } from "shared/runtime";

/** Bytes of an ArrayBuffer or a string. */
export function bytesAt(object: usize): u32 {
  return changetype<OBJECT>(object - TOTAL_OVERHEAD).rtSize;
}

/** UTF-16 units of a string. */
export function unitsAt(text: usize): u32 {
  return bytesAt(text) >>> 1;
}

/** Makes an object shorter than the memory that was taken for it. Less than `__renew` would be, which may move it. */
export function shorten(object: usize, bytes: usize): usize {
  changetype<OBJECT>(object - TOTAL_OVERHEAD).rtSize = <u32>bytes;
  return object;
}

// oxlint-disable-next-line eslint/no-unused-vars -- the collector reads it.
let held: ArrayBuffer | null = null;

/**
 * Takes memory for an object of the class `id`, and fills it with zeros: a chain of constructors up to that of Object is
 * 100 bytes more for each class, and slower. The collector may run meanwhile; it shall find `part`, of which nothing else
 * may know yet. 0 is none.
 */
export function newObject(bytes: usize, id: u32, part: usize): usize {
  held = changetype<ArrayBuffer | null>(part);
  const object = __new(bytes, id);
  held = null;
  if (ASC_RUNTIME != Runtime.Incremental) memory.fill(object, 0, bytes);
  return object;
}
