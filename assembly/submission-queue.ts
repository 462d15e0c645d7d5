// Submission queue: the submissions of one turn, handed to the host in one call of `submit`.
//
// Crossing the border costs more than encoding a submission, so handlers fill this array and the proactor empties it
// after the last of them. Outside `run` (while the module starts) each submission crosses at once.

import {
  DETACHED,
  Opcode,
  SUBMISSION_ARGUMENT_0,
  SUBMISSION_ARGUMENT_1,
  SUBMISSION_ARGUMENT_2,
  SUBMISSION_ARGUMENT_3,
  SUBMISSION_BYTES,
  SUBMISSION_DATA,
  SUBMISSION_DATA_BYTES,
  SUBMISSION_DEADLINE_MS,
  SUBMISSION_FLAGS,
  SUBMISSION_META,
  SUBMISSION_META_BYTES,
  SUBMISSION_NAME,
  SUBMISSION_NAME_BYTES,
  SUBMISSION_OPCODE,
  SUBMISSION_RESERVED,
  SUBMISSION_RESOURCE,
  SUBMISSION_TOKEN_GENERATION,
  SUBMISSION_TOKEN_SLOT,
} from "./abi";
import { bytesAt, unitsAt } from "./address";
import { resetArguments, takeArguments } from "./arena";
import { Token, claim, hasFlights, refuse, tokenOf } from "./handler-table";
import { accepted, submit } from "./proactor_v1";
import { encodeUtf8 } from "./utf8";

/** One submission as the host reads it. See the ruler in abi.ts. */
@unmanaged
export class Submission {
  token_slot: u32;
  token_generation: u32;
  opcode: u16;
  flags: u16;
  resource: u32;
  deadline_ms: u32;
  name: usize;
  name_bytes: u32;
  data: usize;
  data_bytes: u32;
  meta: usize;
  meta_bytes: u32;
  argument_0: u32;
  argument_1: u32;
  argument_2: u32;
  argument_3: u32;
  reserved: u32;

  /** Slot and generation together, as they lie in the record. */
  get token(): Token {
    return load<u64>(changetype<usize>(this), SUBMISSION_TOKEN_SLOT);
  }

  set token(token: Token) {
    store<u64>(changetype<usize>(this), token, SUBMISSION_TOKEN_SLOT);
  }

  /** Takes an operation's numbers, which lie at `from` in the order that they have here. See operation.ts. */
  putNumbers(from: usize): void {
    const to = changetype<usize>(this);
    // Two words at a time. DETACHED is set already, hence the or. The opcode has a bit that is not the host's.
    store<u64>(to, load<u64>(to, SUBMISSION_OPCODE) | (load<u64>(from) & ~0x8000), SUBMISSION_OPCODE);
    store<u32>(to, load<u32>(from, 8), SUBMISSION_DEADLINE_MS);
    store<u64>(to, load<u64>(from, 12), SUBMISSION_ARGUMENT_0);
    store<u64>(to, load<u64>(from, 20), SUBMISSION_ARGUMENT_2);
  }

  // Strings and buffers by their addresses; 0 is none. See address.ts.

  /** What is addressed: a key, a prefix. */
  putName(text: usize): void {
    putText(changetype<usize>(this) + offsetof<Submission>("name"), text);
  }

  /** Content that the guest may change right after: it is copied if it is small, else it crosses the border at once. */
  putData(buffer: usize): void {
    putBuffer(changetype<usize>(this) + offsetof<Submission>("data"), buffer);
  }

  /** The same for bytes anywhere in memory. */
  putDataBytes(content: usize, bytes: u32): void {
    putBytes(changetype<usize>(this) + offsetof<Submission>("data"), content, bytes);
  }

  putDataText(text: usize): void {
    putText(changetype<usize>(this) + offsetof<Submission>("data"), text);
  }

  /** What describes the content: a list of pairs. */
  putMeta(buffer: usize): void {
    putBuffer(changetype<usize>(this) + offsetof<Submission>("meta"), buffer);
  }

  putMetaText(text: usize): void {
    putText(changetype<usize>(this) + offsetof<Submission>("meta"), text);
  }
}

// At `field` lie a pointer and the number of bytes that it points to.

function putText(field: usize, text: usize): void {
  if (!text) return;
  const units = unitsAt(text);
  const start = takeArguments(units * 3);
  store<usize>(field, start);
  store<u32>(field, encodeUtf8(text, units, start), 4);
}

function putBuffer(field: usize, buffer: usize): void {
  if (buffer) putBytes(field, buffer, bytesAt(buffer));
}

function putBytes(field: usize, content: usize, bytes: u32): void {
  let start = content;
  if (bytes > COPIED_BYTES_MAX) {
    flushDue = true;
  } else {
    start = takeArguments(bytes);
    memory.copy(start, content, bytes);
  }
  store<usize>(field, start);
  store<u32>(field, bytes, 4);
}

if (offsetof<Submission>() != SUBMISSION_BYTES) ERROR("Submission disagrees with abi.ts");
if (offsetof<Submission>("token_slot") != SUBMISSION_TOKEN_SLOT) ERROR("token_slot disagrees with abi.ts");
if (offsetof<Submission>("token_generation") != SUBMISSION_TOKEN_GENERATION)
  ERROR("token_generation disagrees with abi.ts");
if (offsetof<Submission>("opcode") != SUBMISSION_OPCODE) ERROR("opcode disagrees with abi.ts");
if (offsetof<Submission>("flags") != SUBMISSION_FLAGS) ERROR("flags disagrees with abi.ts");
if (offsetof<Submission>("resource") != SUBMISSION_RESOURCE) ERROR("resource disagrees with abi.ts");
if (offsetof<Submission>("deadline_ms") != SUBMISSION_DEADLINE_MS) ERROR("deadline_ms disagrees with abi.ts");
if (offsetof<Submission>("name") != SUBMISSION_NAME) ERROR("name disagrees with abi.ts");
if (offsetof<Submission>("name_bytes") != SUBMISSION_NAME_BYTES) ERROR("name_bytes disagrees with abi.ts");
if (offsetof<Submission>("data") != SUBMISSION_DATA) ERROR("data disagrees with abi.ts");
if (offsetof<Submission>("data_bytes") != SUBMISSION_DATA_BYTES) ERROR("data_bytes disagrees with abi.ts");
if (offsetof<Submission>("meta") != SUBMISSION_META) ERROR("meta disagrees with abi.ts");
if (offsetof<Submission>("meta_bytes") != SUBMISSION_META_BYTES) ERROR("meta_bytes disagrees with abi.ts");
if (offsetof<Submission>("argument_0") != SUBMISSION_ARGUMENT_0) ERROR("argument_0 disagrees with abi.ts");
if (offsetof<Submission>("argument_1") != SUBMISSION_ARGUMENT_1) ERROR("argument_1 disagrees with abi.ts");
if (offsetof<Submission>("argument_2") != SUBMISSION_ARGUMENT_2) ERROR("argument_2 disagrees with abi.ts");
if (offsetof<Submission>("argument_3") != SUBMISSION_ARGUMENT_3) ERROR("argument_3 disagrees with abi.ts");
if (offsetof<Submission>("reserved") != SUBMISSION_RESERVED) ERROR("reserved disagrees with abi.ts");

/** Submissions that cross the border together. */
const CAPACITY: u32 = 64;
/** Content above this size is not copied in the guest; the host copies it during the call. */
const COPIED_BYTES_MAX: u32 = 1024;

const submissions = heap.alloc(<usize>CAPACITY * offsetof<Submission>());

// The last of them may not be committed yet.
let length: u32 = 0;
let flushDue = false;

/** While a turn lasts, submissions wait for its end; outside of one, nobody would hand them over later. */
export let inTurn: i32 = 0;

/** What a turn may be: an abort ends each kind. */
export const IN_TURN: i32 = 1;
/** The code of a fiber runs. */
export const ON_FIBER: i32 = 2;

/** 0 ends the turn. */
export function setInTurn(kind: i32): void {
  inTurn = kind;
}

function submissionAt(index: u32): Submission {
  return changetype<Submission>(submissions + <usize>index * offsetof<Submission>());
}

/**
 * A blank submission with a token of its own; the operation fills it in and calls `commit`, before any other `prepare`.
 * The handler's address, or 0 for none.
 */
export function prepare(handler: usize): Submission {
  const slot = claim(handler);
  const submission = submissionAt(length++);
  submission.token = tokenOf(slot);
  // Two words at a time: engines call a function for memory.fill.
  const record = changetype<usize>(submission);
  store<u64>(record, handler ? 0 : (<u64>DETACHED) << 16, SUBMISSION_OPCODE);
  store<u64>(record, 0, SUBMISSION_DEADLINE_MS);
  store<u64>(record, 0, SUBMISSION_NAME_BYTES);
  store<u64>(record, 0, SUBMISSION_DATA_BYTES);
  store<u64>(record, 0, SUBMISSION_META_BYTES);
  store<u64>(record, 0, SUBMISSION_ARGUMENT_1);
  store<u64>(record, 0, SUBMISSION_ARGUMENT_3);
  return submission;
}

/** Leaves the prepared submission to the queue. */
export function commit(submission: Submission): Token {
  const token = submission.token;
  if (length == CAPACITY || flushDue || !inTurn) flush();
  return token;
}

/** Hands everything over. What the host refuses is remembered in the handler table, for `run` to deliver as Again. */
export function flush(): void {
  const count = length;
  for (let next: u32 = 0; next < count;) {
    next += accepted(submit(changetype<usize>(submissionAt(next)), count - next), count - next);
    // What lies behind may make room: an answer, a cancel, a close.
    if (next < count) refuse(submissionAt(next++).token);
  }
  keep(0);
}

/**
 * Forgets what was not handed over: its initiator has trapped. The slots wait among the refused ones, because to give one
 * back may submit something, and that must not be forgotten with the rest. Wakes stay: others wait for them.
 */
export function discard(): void {
  let kept: u32 = 0;
  for (let next: u32 = 0; next < length; next++) {
    const submission = submissionAt(next);
    if (hasFlights && submission.opcode == <u16>Opcode.Wake)
      memory.copy(changetype<usize>(submissionAt(kept++)), changetype<usize>(submission), offsetof<Submission>());
    else refuse(submission.token);
  }
  keep(kept);
}

/** Keeps the first records, and nothing of the others. */
function keep(count: u32): void {
  length = count;
  flushDue = false;
  resetArguments();
}
