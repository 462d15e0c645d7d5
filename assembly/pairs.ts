// Pairs: the one encoding for lists of names and values. See the ruler in abi.ts.

import { PAIRS_HEAD_BYTES, PAIR_LENGTHS_BYTES } from "./abi";
import { bytesAt, newObject, shorten, unitsAt } from "./address";
import { readText } from "./arena";
import { encodeUtf8 } from "./utf8";

/** A list as the host wrote it, in the arena or in a copy of it. */
@unmanaged
export class Pairs {
  count: u32;

  /** Where the lengths of the pair at `index` are. With `index` = count: where the names and values begin. */
  lengthsAt(index: u32): usize {
    return changetype<usize>(this) + PAIRS_HEAD_BYTES + <usize>index * PAIR_LENGTHS_BYTES;
  }

  /** Bytes of the name at `index`. */
  nameBytes(index: u32): u32 {
    return load<u32>(this.lengthsAt(index));
  }

  /** Bytes of the value at `index`. */
  valueBytes(index: u32): u32 {
    return load<u32>(this.lengthsAt(index), 4);
  }

  /** Where the name at `index` begins; its value follows. With `index` = count: where the list ends. */
  nameAt(index: u32): usize {
    let at = this.lengthsAt(this.count);
    for (let i: u32 = 0; i < index; i++) at += this.nameBytes(i) + this.valueBytes(i);
    return at;
  }

  /** Where the value at `index` begins. */
  valueAt(index: u32): usize {
    return this.nameAt(index) + this.nameBytes(index);
  }

  name(index: u32): string {
    return readText(this.nameAt(index), this.nameBytes(index));
  }

  value(index: u32): string {
    return readText(this.valueAt(index), this.valueBytes(index));
  }

  /** The first value whose name is `name`, in any case, at `start` or after it. */
  find(name: string, start: u32 = 0): string | null {
    for (let i = start; i < this.count; i++) {
      if (equalsIgnoringCase(this.nameAt(i), this.nameBytes(i), name)) return this.value(i);
    }
    return null;
  }
}

/** Compares ASCII text; names of headers are nothing else. */
function equalsIgnoringCase(at: usize, bytes: u32, text: string): bool {
  if (<u32>text.length != bytes) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    if (lowerCase(load<u8>(at + i)) != lowerCase(text.charCodeAt(i))) return false;
  }
  return true;
}

function lowerCase(unit: u32): u32 {
  return unit - 65 < 26 ? unit | 32 : unit;
}

// A list to be sent is encoded as it grows, so that sending it is one copy.

/** The list with a pair more; null is the empty one. It takes the place of `list`. */
export function withPair(list: ArrayBuffer | null, name: string, value: string): ArrayBuffer {
  return changetype<ArrayBuffer>(addPair(changetype<usize>(list), changetype<usize>(name), changetype<usize>(value)));
}

/** The same by addresses. */
export function addPair(list: usize, name: usize, value: usize): usize {
  const bytes = list ? bytesAt(list) : PAIRS_HEAD_BYTES;
  const room = PAIR_LENGTHS_BYTES + (unitsAt(name) + unitsAt(value)) * 3;
  const longer = changetype<Pairs>(newObject(bytes + room, idof<ArrayBuffer>(), list));
  if (list) memory.copy(changetype<usize>(longer), list, bytes);
  const lengths = longer.lengthsAt(longer.count++);
  const end = changetype<usize>(longer) + bytes;
  const at = end + PAIR_LENGTHS_BYTES;
  memory.copy(lengths + PAIR_LENGTHS_BYTES, lengths, end - lengths);
  const nameBytes = encodeUtf8(name, unitsAt(name), at);
  const valueBytes = encodeUtf8(value, unitsAt(value), at + nameBytes);
  store<u32>(lengths, nameBytes);
  store<u32>(lengths, valueBytes, 4);
  return shorten(changetype<usize>(longer), bytes + PAIR_LENGTHS_BYTES + nameBytes + valueBytes);
}

/** Headers to be sent: order is kept, names may repeat. */
export class Headers {
  private list: ArrayBuffer | null;

  append(name: string, value: string): this {
    this.list = withPair(this.list, name, value);
    return this;
  }
}

/** The list of these headers, or 0 for none. Both are addresses. */
export function listOf(headers: usize): usize {
  return headers ? load<usize>(headers, offsetof<Headers>("list")) : 0;
}
