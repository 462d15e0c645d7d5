// URL: the parts of a request's URL that a handler asks for. Malformed input gives null, it never traps.

import { decodeUtf8, isUtf8 } from "./utf8";

const SLASH: u8 = 0x2f;
const QUESTION_MARK: u8 = 0x3f;
const EQUALS: i32 = 0x3d;

/** Where the path of an absolute URL begins, in UTF-8: at the third slash. */
export function pathStart(at: usize, end: usize): usize {
  for (let slashes = 0; at < end; at++) {
    if (load<u8>(at) == SLASH && ++slashes == 3) break;
  }
  return at;
}

/** Where the query begins, at its question mark; the end if there is none. */
export function queryStart(at: usize, end: usize): usize {
  while (at < end && load<u8>(at) != QUESTION_MARK) at++;
  return at;
}

/** The first value of `name` in a query, decoded; null if it is missing or malformed. */
export function queryValue(query: string, name: string): string | null {
  let start = 0;
  while (start < query.length) {
    let end = query.indexOf("&", start);
    if (end < 0) end = query.length;
    // Not beyond the end: a query of names alone would be looked through once for each of them.
    let equals = start;
    while (equals < end && query.charCodeAt(equals) != EQUALS) equals++;
    // Nothing between two `&` is no parameter, not even one without a name.
    if (end > start && percentDecode(query.substring(start, equals), true) == name) {
      return equals == end ? "" : percentDecode(query.substring(equals + 1, end), true);
    }
    start = end + 1;
  }
  return null;
}

/** Decodes %XX, and `+` as a space where `form` says so. Null if a % is not followed by two digits or the bytes are no UTF-8. */
export function percentDecode(text: string, form: bool = false): string | null {
  const encoded = String.UTF8.encode(text);
  const start = changetype<usize>(encoded);
  const end = start + encoded.byteLength;
  let written = start;
  for (let at = start; at < end; at++) {
    let byte = <u32>load<u8>(at);
    if (byte == 37) {
      if (at + 2 >= end) return null;
      const high = hexDigit(load<u8>(at, 1));
      const low = hexDigit(load<u8>(at, 2));
      if ((high | low) < 0) return null;
      byte = (high << 4) | low;
      at += 2;
    } else if (form && byte == 43) {
      byte = 32;
    }
    store<u8>(written++, byte);
  }
  return isUtf8(start, written) ? decodeUtf8(start, <u32>(written - start)) : null;
}

function hexDigit(unit: u32): i32 {
  if (unit - 48 < 10) return unit - 48;
  const lower = unit | 32;
  return lower - 97 < 6 ? lower - 87 : -1;
}
