// Pairs: the one encoding for lists of names and values. See the ruler in assembly/abi.ts.

import { PAIRS_HEAD_BYTES, PAIR_COUNT_MAX, PAIR_LENGTHS_BYTES, Status } from "../assembly/abi.ts";
import { Failure, messageOf } from "./failure.ts";
import { UTF8_BYTES_MAX, concatenate, decodeText, encodeText } from "./memory.ts";
import { slab } from "./slab.ts";

export type Pair = readonly [name: string, value: string];

/** Encodes a list, followed by `tail`. */
export function encodePairs(pairs: readonly Pair[], tail?: Uint8Array): Uint8Array {
  return encodeTexts(pairs.flat(), tail);
}

/** Encodes a request's head: (method, URL), then its headers if they are wanted. */
export function encodeHead(request: Request, wantsHeaders: boolean): Uint8Array {
  const { method, url } = request;
  // HTTP sends no fragment, but a Request that a program made may have one.
  const fragment = url.indexOf("#");
  const line = [method, fragment < 0 ? url : url.slice(0, fragment)];
  return encodeTexts(wantsHeaders ? textsOf(request.headers, line) : line);
}

/** Headers as names and values in turn, in order, repeated names kept, behind `texts`. */
export function textsOf(headers: Headers, texts: string[] = []): string[] {
  headers.forEach((value, name) => texts.push(name, value));
  return texts;
}

/** Encodes names and values in turn, followed by `tail`. */
export function encodeTexts(texts: readonly string[], tail?: Uint8Array): Uint8Array {
  const textsAt = PAIRS_HEAD_BYTES + texts.length * (PAIR_LENGTHS_BYTES / 2);
  let bytesMax = textsAt;
  for (const text of texts) bytesMax += text.length * UTF8_BYTES_MAX;
  const start = slab.reserve(bytesMax);
  let word = start >> 2;
  let at = start + textsAt;
  slab.words[word++] = texts.length / 2;
  for (const text of texts) at += slab.words[word++] = encodeText(text, slab.bytes, at);
  const list = slab.cut(at);
  return tail ? concatenate([list, tail]) : list;
}

/** Decodes a list that fills `length` bytes. Throws Invalid if its counts and lengths do not add up to that. */
export function decodePairs(bytes: Uint8Array, at: number, length: number): Pair[] {
  if (length === 0) return [];
  if (length < PAIRS_HEAD_BYTES) throw malformed();
  const count = wordAt(bytes, at);
  if (count > PAIR_COUNT_MAX) throw new Failure(Status.TooBig, `list of pairs: more than ${PAIR_COUNT_MAX} pairs`);
  let textAt = PAIRS_HEAD_BYTES + count * PAIR_LENGTHS_BYTES;
  if (textAt > length) throw malformed();
  const pairs: Pair[] = [];
  for (let index = 0; index < count; index++) {
    const lengthsAt = at + PAIRS_HEAD_BYTES + index * PAIR_LENGTHS_BYTES;
    const nameBytes = wordAt(bytes, lengthsAt);
    const valueBytes = wordAt(bytes, lengthsAt + 4);
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

/** A word wherever it lies; a view for it would cost more than the rest. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** Made only where it is thrown: an error takes its stack along, which costs more than decoding a list. */
function malformed(): Failure {
  return new Failure(Status.Invalid, "list of pairs: its lengths disagree");
}

/** The pairs as headers. Throws Invalid for what HTTP does not allow. */
export function headersOf(pairs: readonly Pair[]): Headers {
  try {
    return new Headers(recordOf(pairs));
  } catch (error) {
    throw new Failure(Status.Invalid, `headers: ${messageOf(error)}`);
  }
}

type HeadersRecord = Record<string, string> | [string, string][];

/** A record where no name repeats, because the platform reads it faster than a list. */
export function recordOf(pairs: readonly Pair[]): HeadersRecord {
  const record: Record<string, string> = {};
  for (const [name, value] of pairs) {
    // Also what every object has, such as "constructor".
    if (name in record) return pairs as [string, string][];
    record[name] = value;
  }
  return record;
}
