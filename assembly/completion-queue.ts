// Completion queue: an array of records that `poll` fills and `run` empties on the same turn.
//
// It needs no head and no tail. What does not fit stays with its context on the host, where a place was reserved when
// the submission was admitted, so nothing is ever dropped here.

import {
  COMPLETION_AUXILIARY,
  COMPLETION_BYTES,
  COMPLETION_FLAGS,
  COMPLETION_PAYLOAD,
  COMPLETION_PAYLOAD_BYTES,
  COMPLETION_RESOURCE,
  COMPLETION_STATUS,
  COMPLETION_TOKEN_GENERATION,
  COMPLETION_TOKEN_SLOT,
  Status,
} from "./abi";
import { growPayloads, payloads, payloadsBytes, readText } from "./arena";
import { Token } from "./handler-table";
import { accepted, poll } from "./proactor_v1";

/** One completion as the host wrote it. Valid while its handler runs. See the ruler in abi.ts. */
@unmanaged
export class Completion {
  token_slot: u32;
  token_generation: u32;
  /** Ok, or a negative Status. */
  status: Status;
  flags: u32;
  resource: u32;
  payload: usize;
  payload_bytes: u32;
  auxiliary: u32;

  /** Slot and generation together, as they lie in the record. */
  get token(): Token {
    return load<u64>(changetype<usize>(this), COMPLETION_TOKEN_SLOT);
  }

  set token(token: Token) {
    store<u64>(changetype<usize>(this), token, COMPLETION_TOKEN_SLOT);
  }

  get failed(): bool {
    return this.status < 0;
  }

  /** The host's explanation of a failure, or an empty text. */
  message(): string {
    return this.failed ? readText(this.payload, this.payload_bytes) : "";
  }
}

if (offsetof<Completion>() != COMPLETION_BYTES) ERROR("Completion disagrees with abi.ts");
if (offsetof<Completion>("token_slot") != COMPLETION_TOKEN_SLOT) ERROR("token_slot disagrees with abi.ts");
if (offsetof<Completion>("token_generation") != COMPLETION_TOKEN_GENERATION)
  ERROR("token_generation disagrees with abi.ts");
if (offsetof<Completion>("status") != COMPLETION_STATUS) ERROR("status disagrees with abi.ts");
if (offsetof<Completion>("flags") != COMPLETION_FLAGS) ERROR("flags disagrees with abi.ts");
if (offsetof<Completion>("resource") != COMPLETION_RESOURCE) ERROR("resource disagrees with abi.ts");
if (offsetof<Completion>("payload") != COMPLETION_PAYLOAD) ERROR("payload disagrees with abi.ts");
if (offsetof<Completion>("payload_bytes") != COMPLETION_PAYLOAD_BYTES) ERROR("payload_bytes disagrees with abi.ts");
if (offsetof<Completion>("auxiliary") != COMPLETION_AUXILIARY) ERROR("auxiliary disagrees with abi.ts");

/** Completions that cross the border together. */
const CAPACITY: u32 = 256;

const completions = heap.alloc(<usize>CAPACITY * offsetof<Completion>());

export function completionAt(index: i32): Completion {
  return changetype<Completion>(completions + <usize>index * offsetof<Completion>());
}

/** Whether a completion is one that the host wrote, and no flight's. */
export function isOfQueue(completion: Completion): bool {
  return changetype<usize>(completion) - completions < <usize>CAPACITY * offsetof<Completion>();
}

/** Fetches at most `budget` completions and returns their number. Grows the arena for a payload that exceeds it. */
export function fill(budget: u32): u32 {
  const capacity = min(budget, CAPACITY);
  let count = poll(completions, capacity, payloads(), payloadsBytes());
  if (count == Status.TooBig) {
    growPayloads(completionAt(0).payload_bytes);
    // If the arena did not grow enough, this second call completes the operation with TooBig.
    count = poll(completions, capacity, payloads(), payloadsBytes());
  }
  return accepted(count, capacity);
}
