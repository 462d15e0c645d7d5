// Pairs: the one encoding for lists of names and values. See the ruler in abi.ts.

import { PAIRS_HEAD_BYTES, PAIR_LENGTHS_BYTES } from "./abi";
import { readText, takeArguments, writeText } from "./arena";
import { Submission } from "./submission-queue";

/** A list as the host wrote it, in the arena or in a copy of it. */
@unmanaged
export class Pairs {
  count: u32;

  private lengthsAt(index: u32): usize {
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

class Header {
  next: Header | null = null;

  constructor(
    public name: string,
    public value: string,
  ) {}
}

/** Headers to be sent: kept in order, names may repeat. */
export class Headers {
  private first: Header | null = null;
  private last: Header | null = null;
  private count: u32 = 0;
  private units: usize = 0;

  append(name: string, value: string): this {
    const header = new Header(name, value);
    const last = this.last;
    if (last) last.next = header;
    else this.first = header;
    this.last = header;
    this.count++;
    this.units += name.length + value.length;
    return this;
  }

  /** Encodes this list as the submission's meta. */
  encode(submission: Submission): void {
    if (this.first) encodePairs(submission, this.first, this.count, this.units);
  }

  /** Encodes the head of a request as the submission's meta: (method, URL), then this list. */
  encodeHead(submission: Submission, method: string, url: string): void {
    const line = new Header(method, url);
    line.next = this.first;
    encodePairs(submission, line, this.count + 1, this.units + method.length + url.length);
  }
}

function encodePairs(submission: Submission, first: Header | null, count: u32, units: usize): void {
  const texts: usize = PAIRS_HEAD_BYTES + count * PAIR_LENGTHS_BYTES;
  const start = takeArguments(texts + units * 3);
  store<u32>(start, count);
  let lengthsAt = start + PAIRS_HEAD_BYTES;
  let at = start + texts;
  let header = first;
  while (header) {
    const nameBytes = writeText(header.name, at);
    const valueBytes = writeText(header.value, at + nameBytes);
    store<u32>(lengthsAt, <u32>nameBytes);
    store<u32>(lengthsAt, <u32>valueBytes, 4);
    lengthsAt += PAIR_LENGTHS_BYTES;
    at += nameBytes + valueBytes;
    header = header.next;
  }
  submission.meta = start;
  submission.meta_bytes = <u32>(at - start);
}
