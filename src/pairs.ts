// Pairs: the one encoding for lists of names and values. See the ruler in assembly/abi.ts.

import { PAIRS_HEAD_BYTES, PAIR_COUNT_MAX, PAIR_LENGTHS_BYTES, Status } from "../assembly/abi.ts";
import { Failure, messageOf } from "./failure.ts";
import { decodeText, encodeText } from "./memory.ts";

export type Pair = readonly [name: string, value: string];

/** One buffer serves every list: encoding is synchronous, and the result is a copy of the part that was used. */
let scratch = new Uint8Array(8192);

/** Encodes a list, followed by `tail`. */
export function encodePairs(pairs: readonly Pair[], tail?: Uint8Array): Uint8Array {
  const texts = PAIRS_HEAD_BYTES + pairs.length * PAIR_LENGTHS_BYTES;
  let room = texts;
  for (const [name, value] of pairs) room += (name.length + value.length) * 3;
  if (scratch.length < room) scratch = new Uint8Array(room * 2);
  const lengths = new DataView(scratch.buffer, 0, texts);
  lengths.setUint32(0, pairs.length, true);
  let lengthAt = PAIRS_HEAD_BYTES;
  let at = texts;
  for (const [name, value] of pairs) {
    const nameBytes = encodeText(name, scratch, at);
    const valueBytes = encodeText(value, scratch, at + nameBytes);
    lengths.setUint32(lengthAt, nameBytes, true);
    lengths.setUint32(lengthAt + 4, valueBytes, true);
    lengthAt += PAIR_LENGTHS_BYTES;
    at += nameBytes + valueBytes;
  }
  if (!tail) return scratch.slice(0, at);
  const encoded = new Uint8Array(at + tail.length);
  encoded.set(scratch.subarray(0, at));
  encoded.set(tail, at);
  return encoded;
}

/** Decodes a list that fills `length` bytes. Throws Invalid if its counts and lengths do not add up to that. */
export function decodePairs(bytes: Uint8Array, at: number, length: number): Pair[] {
  if (length === 0) return [];
  if (length < PAIRS_HEAD_BYTES) throw malformed();
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
  const count = view.getUint32(0, true);
  if (count > PAIR_COUNT_MAX) throw new Failure(Status.TooBig, `list of pairs: more than ${PAIR_COUNT_MAX} pairs`);
  let textAt = PAIRS_HEAD_BYTES + count * PAIR_LENGTHS_BYTES;
  if (textAt > length) throw malformed();
  const pairs: Pair[] = [];
  for (let index = 0; index < count; index++) {
    const lengthsAt = PAIRS_HEAD_BYTES + index * PAIR_LENGTHS_BYTES;
    const nameBytes = view.getUint32(lengthsAt, true);
    const valueBytes = view.getUint32(lengthsAt + 4, true);
    if (nameBytes + valueBytes > length - textAt) throw malformed();
    // Not every platform refuses a header without a name, and what it then sends is no HTTP.
    if (nameBytes === 0) throw new Failure(Status.Invalid, "list of pairs: a name is empty");
    const valueAt = at + textAt + nameBytes;
    pairs.push([decodeText(bytes, at + textAt, nameBytes), decodeText(bytes, valueAt, valueBytes)]);
    textAt += nameBytes + valueBytes;
  }
  if (textAt !== length) throw malformed();
  return pairs;
}

/** Made only where it is thrown: an error takes its stack along, which costs more than decoding a list. */
function malformed(): Failure {
  return new Failure(Status.Invalid, "list of pairs: counts and lengths disagree with its size");
}

/** The pairs as headers. Throws Invalid for what HTTP does not allow. */
export function headersOf(pairs: readonly Pair[]): Headers {
  try {
    return new Headers(pairs as [string, string][]);
  } catch (error) {
    throw new Failure(Status.Invalid, `headers: ${messageOf(error)}`);
  }
}

/** The pairs for a response to come: a record where no name repeats, because the platform reads it faster than a list. */
export function headersInit(pairs: readonly Pair[]): Record<string, string> | [string, string][] {
  const record = Object.fromEntries(pairs);
  return Object.keys(record).length === pairs.length ? record : (pairs as [string, string][]);
}
