// The imports of the contract, declared once. The file's base name is the import module's name.
// docs/contract.md says what each may return; see there for ownership and errors.

import { abort as stop } from "./abort";

/** Hands over `count` submissions. Returns how many were admitted, or a negative Status. Completes nothing inline. */
export declare function submit(submissions: usize, count: u32): i32;

/** Fills at most `capacity` completions and their payloads. Returns how many were written, or a negative Status. */
export declare function poll(completions: usize, capacity: u32, arena: usize, arena_bytes: u32): i32;

/** Looks up a granted resource by its UTF-8 name. Returns its number, or a negative Status. */
export declare function open(name: usize, name_bytes: u32): i32;

/** Reports a trap and ends the call into the module. Never returns. */
export declare function abort(
  message: usize,
  message_bytes: u32,
  file: usize,
  file_bytes: u32,
  line: u32,
  column: u32,
): void;

/** What `submit` and `poll` return if the host took the call itself. A library that keeps the contract gets nothing else. */
export function accepted(count: u32, most: u32): u32 {
  if (count > most) stop("the host rejected the call");
  return count;
}
