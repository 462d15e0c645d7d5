// Pairs: the one encoding for lists of names and values. See the ruler in assembly/abi.ts.

import { PAIRS_HEAD_BYTES, PAIR_COUNT_MAX, PAIR_LENGTHS_BYTES, Status } from "../assembly/abi.ts";
import { Failure, messageOf } from "./failure.ts";
import { decodeText, encodeText } from "./memory.ts";

export type Pair = readonly [name: string, value: string];

// The list that is being encoded. One pair of buffers serves all: encoding is synchronous, and the result a copy.
let texts = new Uint8Array(8192);
let textBytes = 0;
const lengths: number[] = [];

/** Encodes a list, followed by `tail`. */
export function encodePairs(pairs: readonly Pair[], tail?: Uint8Array): Uint8Array {
  begin();
  for (const [name, value] of pairs) add(name, value);
  return finish(tail);
}

/** Encodes headers, in order, repeated names kept, followed by `tail`. */
export function encodeHeaders(headers: Headers, tail?: Uint8Array): Uint8Array {
  begin();
  headers.forEach(addHeader);
  return finish(tail);
}

/** Encodes a request's head: (method, URL), then its headers. */
export function encodeHead({ method, url, headers }: Request): Uint8Array {
  begin();
  // HTTP sends no fragment, but a Request that a program made may have one.
  const fragment = url.indexOf("#");
  add(method, fragment < 0 ? url : url.slice(0, fragment));
  headers.forEach(addHeader);
  return finish();
}

function begin(): void {
  textBytes = 0;
  lengths.length = 0;
}

function add(name: string, value: string): void {
  addText(name);
  addText(value);
}

const addHeader = (value: string, name: string): void => add(name, value);

function addText(text: string): void {
  const room = textBytes + text.length * 3;
  if (room > texts.length) texts = withRoom(room * 2, texts);
  const bytes = encodeText(text, texts, textBytes);
  lengths.push(bytes);
  textBytes += bytes;
}

function withRoom(bytes: number, before: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes);
  larger.set(before);
  return larger;
}

function finish(tail?: Uint8Array): Uint8Array {
  const textsAt = PAIRS_HEAD_BYTES + lengths.length * (PAIR_LENGTHS_BYTES / 2);
  const list = new Uint8Array(textsAt + textBytes + (tail?.length ?? 0));
  const head = new Uint32Array(list.buffer, 0, 1 + lengths.length);
  head[0] = lengths.length / 2;
  head.set(lengths, 1);
  list.set(texts.subarray(0, textBytes), textsAt);
  if (tail) list.set(tail, textsAt + textBytes);
  return list;
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
  return new Failure(Status.Invalid, "list of pairs: its lengths disagree");
}

/** The pairs as headers. Throws Invalid for what HTTP does not allow. */
export function headersOf(pairs: readonly Pair[]): Headers {
  try {
    return new Headers(headersInit(pairs));
  } catch (error) {
    throw new Failure(Status.Invalid, `headers: ${messageOf(error)}`);
  }
}

/** The pairs for a response to come: a record where no name repeats, because the platform reads it faster than a list. */
export function headersInit(pairs: readonly Pair[]): Record<string, string> | [string, string][] {
  const record = Object.fromEntries(pairs);
  return Object.keys(record).length === pairs.length ? record : (pairs as [string, string][]);
}
