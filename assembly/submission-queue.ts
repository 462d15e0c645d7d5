// Submission queue: the submissions of one turn, handed to the host in one call of `submit`.
//
// Crossing the border costs more than encoding a submission, so handlers fill this array and the proactor empties it
// after the last of them. Outside `run` (while the module starts) each submission crosses at once.

import {
  DETACHED,
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
import { resetArguments, takeArguments, writeText } from "./arena";
import { Token, claim, refuse, release, tokenOf } from "./handler-table";
import { CompletionHandler } from "./completion-handler";
import { submit } from "./proactor_v1";

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

  /** What is addressed: a key, a prefix. */
  putName(text: string): void {
    this.name = takeArguments(<usize>text.length * 3);
    this.name_bytes = <u32>writeText(text, this.name);
  }

  /** Content that the guest may change right after: it is copied if it is small, else it crosses the border at once. */
  putData(content: ArrayBuffer): void {
    const bytes = content.byteLength;
    this.data = changetype<usize>(content);
    this.data_bytes = bytes;
    if (bytes > COPIED_BYTES_MAX) {
      flushDue = true;
    } else {
      this.data = takeArguments(bytes);
      memory.copy(this.data, changetype<usize>(content), bytes);
    }
  }

  putDataText(text: string): void {
    this.data = takeArguments(<usize>text.length * 3);
    this.data_bytes = <u32>writeText(text, this.data);
  }

  putMetaText(text: string): void {
    this.meta = takeArguments(<usize>text.length * 3);
    this.meta_bytes = <u32>writeText(text, this.meta);
  }
}

if (offsetof<Submission>() != SUBMISSION_BYTES) ERROR("Submission disagrees with abi.ts");
if (offsetof<Submission>("token_slot") != SUBMISSION_TOKEN_SLOT) ERROR("token_slot disagrees with abi.ts");
if (offsetof<Submission>("token_generation") != SUBMISSION_TOKEN_GENERATION) ERROR("token_generation disagrees with abi.ts");
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
const CAPACITY: u32 = 256;
/** Content above this size is not copied in the guest; the host copies it during the call. */
const COPIED_BYTES_MAX: i32 = 1024;

const submissions = memory.data(16384, 8);
if (<u32>CAPACITY * SUBMISSION_BYTES != 16384) ERROR("submissions: the static area disagrees with CAPACITY");

let length: u32 = 0;
let batching = false;
let flushDue = false;

/** While a turn lasts, submissions wait for its end; outside of one, nobody would hand them over later. */
export function setBatching(on: bool): void {
  batching = on;
}

function submissionAt(index: u32): Submission {
  return changetype<Submission>(submissions + <usize>index * offsetof<Submission>());
}

/** A blank submission with a token of its own; the operation fills it in and calls `commit`. */
export function prepare(handler: CompletionHandler | null): Submission {
  const submission = submissionAt(length);
  memory.fill(changetype<usize>(submission), 0, offsetof<Submission>());
  const token = tokenOf(claim(handler));
  submission.token_slot = <u32>token;
  submission.token_generation = <u32>(token >>> 32);
  if (!handler) submission.flags = <u16>DETACHED;
  return submission;
}

/** Adds the prepared submission to the queue. */
export function commit(submission: Submission): Token {
  const token = (<u64>submission.token_generation << 32) | submission.token_slot;
  if (++length == CAPACITY || flushDue || !batching) flush();
  return token;
}

/** Hands everything over. What the host refuses is remembered in the handler table, for `run` to deliver as Again. */
export function flush(): void {
  if (!length) return;
  const count = length;
  const admitted = submit(submissions, count);
  assert(admitted >= 0, "submit: the host rejected the call");
  length = 0;
  flushDue = false;
  resetArguments();
  for (let i = <u32>admitted; i < count; i++) refuse(submissionAt(i).token_slot);
}

/** Forgets what was not handed over: its initiator has trapped. */
export function discard(): void {
  for (let i: u32 = 0; i < length; i++) release(submissionAt(i).token_slot);
  length = 0;
  flushDue = false;
  resetArguments();
}
