// UTF-8: the text of the contract. What is ill-formed becomes U+FFFD in both directions, so neither can trap.
//
// Half the size of the standard library's routines, which trap on an unpaired surrogate or let it pass, and take
// ill-formed bytes for something else. `abort` uses this file before any global exists, so it has none.

import { shorten } from "./address";

const REPLACEMENT: u32 = 0xfffd;

/** Writes `units` UTF-16 units at `text` as UTF-8, at most three bytes for each, and returns the bytes written. */
export function encodeUtf8(text: usize, units: u32, to: usize): u32 {
  const end = text + ((<usize>units) << 1);
  const start = to;
  while (text < end) {
    let code = <u32>load<u16>(text);
    text += 2;
    if (code < 0x80) {
      store<u8>(to++, code);
      continue;
    }
    if (isSurrogate(code)) {
      const low = code < 0xdc00 && text < end ? <u32>load<u16>(text) - 0xdc00 : 0x400;
      if (low < 0x400) {
        code = 0x10000 + ((code - 0xd800) << 10) + low;
        text += 2;
      } else {
        code = REPLACEMENT;
      }
    }
    const bytes = encodedBytes(code);
    for (let i = bytes - 1; i > 0; i--) {
      store<u8>(to + i, 0x80 | (code & 0x3f));
      code >>= 6;
    }
    store<u8>(to, leadMark(bytes) | code);
    to += bytes;
  }
  return <u32>(to - start);
}

/** Reads UTF-8; each byte that belongs to no character becomes U+FFFD. */
export function decodeUtf8(from: usize, bytes: u32): string {
  const end = from + bytes;
  // No character takes more units in UTF-16 than bytes in UTF-8.
  const text = __new((<usize>bytes) << 1, idof<string>());
  let to = text;
  while (from < end) {
    let code = codeAt(from, end);
    if (code < 0) {
      code = REPLACEMENT;
      from++;
    } else {
      from += encodedBytes(code);
    }
    if (code > 0xffff) {
      store<u16>(to, 0xd7c0 + (code >> 10));
      code = 0xdc00 | (code & 0x3ff);
      to += 2;
    }
    store<u16>(to, code);
    to += 2;
  }
  return changetype<string>(shorten(text, to - text));
}

/** Whether the bytes are UTF-8: nothing stray, missing or overlong, no surrogate, nothing past U+10FFFF. */
export function isUtf8(from: usize, end: usize): bool {
  while (from < end) {
    const code = codeAt(from, end);
    if (code < 0) return false;
    from += encodedBytes(code);
  }
  return true;
}

/** The character at `from`, or a negative number if there is none. */
function codeAt(from: usize, end: usize): i32 {
  let code = <u32>load<u8>(from);
  if (code < 0x80) return code;
  const bytes: usize = code < 0xe0 ? 2 : code < 0xf0 ? 3 : 4;
  if (bytes > end - from) return -1;
  // A byte without this mark keeps high bits, which put the result out of range.
  code ^= leadMark(bytes);
  for (let i: usize = 1; i < bytes; i++) {
    const next = <u32>load<u8>(from + i) ^ 0x80;
    if (next > 0x3f) return -1;
    code = (code << 6) | next;
  }
  return encodedBytes(code) == bytes && !isSurrogate(code) ? code : -1;
}

/** Bytes that a character takes in UTF-8; more than four if it is none. */
function encodedBytes(code: u32): usize {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : code < 0x110000 ? 4 : 5;
}

/** What the first of several bytes starts with: a one for each byte, then a zero. */
function leadMark(bytes: usize): u32 {
  return (0xf00 >> <u32>bytes) & 0xff;
}

function isSurrogate(code: u32): bool {
  return code - 0xd800 < 0x800;
}
