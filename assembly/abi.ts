// The contract proactor_v1: every number that both sides of the border read, and nothing else.
//
// asc, tsc and esbuild read this file unchanged, which is why it holds only enums and `export const X: u32 = n` and
// imports nothing. The guest compares each record below with its own class at compile time
// (submission-queue.ts, completion-queue.ts); docs/contract.md explains every word.
// Codes are append-only: a number that was published keeps its meaning for ever.

/** The import module of the contract. Another version of the contract is another module name. */
export const CONTRACT_VERSION: u32 = 1;

// ╒════════════════════════ Submission, 64 bytes, 4-aligned, little-endian ═════════════════════════╕
//   +0               +4                +8              +12
// ├────────────────┼─────────────────┼───────┬───────┼────────────────┤
// │  token slot    │ token generation│opcode │ flags │    resource    │ +0
// ├────────────────┼─────────────────┼───────┴───────┼────────────────┤
// │  deadline_ms   │  name pointer   │  name bytes   │  data pointer  │ +16
// ├────────────────┼─────────────────┼───────────────┼────────────────┤
// │  data bytes    │  meta pointer   │  meta bytes   │   argument 0   │ +32
// ├────────────────┼─────────────────┼───────────────┼────────────────┤
// │  argument 1    │  argument 2     │  argument 3   │ reserved, zero │ +48
// └────────────────┴─────────────────┴───────────────┴────────────────┘
// name: what is addressed (a key, a prefix). data: content (a value, a body, a cursor). meta: what describes it
// (a list of headers, a value's metadata). All three are read inside `submit` and never again.

export const SUBMISSION_BYTES: u32 = 64;
export const SUBMISSION_TOKEN_SLOT: u32 = 0;
export const SUBMISSION_TOKEN_GENERATION: u32 = 4;
export const SUBMISSION_OPCODE: u32 = 8;
export const SUBMISSION_FLAGS: u32 = 10;
export const SUBMISSION_RESOURCE: u32 = 12;
export const SUBMISSION_DEADLINE_MS: u32 = 16;
export const SUBMISSION_NAME: u32 = 20;
export const SUBMISSION_NAME_BYTES: u32 = 24;
export const SUBMISSION_DATA: u32 = 28;
export const SUBMISSION_DATA_BYTES: u32 = 32;
export const SUBMISSION_META: u32 = 36;
export const SUBMISSION_META_BYTES: u32 = 40;
export const SUBMISSION_ARGUMENT_0: u32 = 44;
export const SUBMISSION_ARGUMENT_1: u32 = 48;
export const SUBMISSION_ARGUMENT_2: u32 = 52;
export const SUBMISSION_ARGUMENT_3: u32 = 56;
export const SUBMISSION_RESERVED: u32 = 60;

// ╒════════════════════════ Completion, 32 bytes, 4-aligned, little-endian ═════════════════════════╕
//   +0               +4                +8              +12
// ├────────────────┼─────────────────┼───────────────┼────────────────┤
// │  token slot    │ token generation│  status, i32  │     flags      │ +0
// ├────────────────┼─────────────────┼───────────────┼────────────────┤
// │  resource      │ payload pointer │ payload bytes │   auxiliary    │ +16
// └────────────────┴─────────────────┴───────────────┴────────────────┘
// The payload lies in the arena that `poll` named, 8-aligned, and is valid until the next `poll`.

export const COMPLETION_BYTES: u32 = 32;
export const COMPLETION_TOKEN_SLOT: u32 = 0;
export const COMPLETION_TOKEN_GENERATION: u32 = 4;
export const COMPLETION_STATUS: u32 = 8;
export const COMPLETION_FLAGS: u32 = 12;
export const COMPLETION_RESOURCE: u32 = 16;
export const COMPLETION_PAYLOAD: u32 = 20;
export const COMPLETION_PAYLOAD_BYTES: u32 = 24;
export const COMPLETION_AUXILIARY: u32 = 28;

/** Payloads start at multiples of this many bytes. */
export const PAYLOAD_ALIGNMENT: u32 = 8;

// ╒═══════════════ List of pairs: headers, list entries ═══════════════╕
//   +0        +4            +8             +4 + 8 × count
// ├─────────┼─────────────┼──────────────┼── … ──┼──────────────────────┤
// │  count  │ name bytes  │ value bytes  │  …    │ name, value, name, … │
// └─────────┴─────────────┴──────────────┴── … ──┴──────────────────────┘
// Order and repeated names are kept. A request's head is such a list whose first pair is (method, URL).

export const PAIRS_HEAD_BYTES: u32 = 4;
export const PAIR_LENGTHS_BYTES: u32 = 8;

/** What a submission asks for. */
export enum Opcode {
  /** Completes with Ok on the next turn. */
  Noop = 0,
  /** Ends the operation whose token is (argument 0, argument 1); the auxiliary word answers with a CancelResult. */
  Cancel = 1,
  /** Gives a resource back; what is in flight on it is cancelled. */
  Close = 2,
  /** Completes with Ok, no earlier than argument 0 milliseconds from now. */
  Timer = 3,
  /** Multishot. Completes, flagged MORE, once for each incoming event whose kind is in argument 0's bits. */
  Accept = 4,
  /** Answers an exchange: argument 0 the HTTP status, meta the headers, data the body or argument 1 a resource to stream. */
  Respond = 5,
  /** Reads the whole body of an exchange or of a response, at most argument 0 bytes. */
  Read = 6,
  /** Sends the HTTP request whose head is meta and whose body is data (or argument 2, a resource to stream). */
  Fetch = 7,
  /** Reads the value at the key `name`. */
  KvGet = 8,
  /** Writes `data` at the key `name`, with `meta` as its JSON metadata. */
  KvPut = 9,
  /** Removes the key `name`. */
  KvDelete = 10,
  /** Lists the keys that start with `name`, from the cursor `data`. */
  KvList = 11,
  /**
   * Tells `onError` of the failure of an operation `name` that the host does not know: argument 0 its status, the
   * token (argument 1, argument 2), data the message.
   */
  Report = 12,
  /** Completes with Ok when a wake names its token. */
  Wait = 13,
  /** Completes the wait whose token is (argument 0, argument 1), in whichever context of the instance that is. */
  Wake = 14,
}

/** One more than the largest opcode of this version. */
export const OPCODE_COUNT: u32 = 15;

// Submission flags. The low byte belongs to the operation, the high byte means the same everywhere.

/** Accept: the head has the request's headers too, and not only its method and URL. */
export const ACCEPT_HEADERS: u32 = 1;
/** Respond: take status and headers from the forwarded response too. */
export const RESPOND_FORWARD: u32 = 1;
/** Fetch: the completion carries the body, at most argument 0 bytes; without it the body stays with the host as a resource. */
export const FETCH_BODY: u32 = 1;
/** KvGet: the payload starts with the metadata, whose length is the auxiliary word. */
export const KV_METADATA: u32 = 1;
/** Report: another operation took the place of the one that failed. */
export const REPORT_DROPPED: u32 = 1;
/** Nobody handles the completion: the host reports a failure to `onError`. */
export const DETACHED: u32 = 0x8000;

// Completion flags.

/** Another completion with this token will follow. */
export const MORE: u32 = 1;
/** The context has ended: free the slot and call nobody. */
export const RECLAIM: u32 = 2;
/** Set by the guest, in the record, when it calls the record's handler: lets the host name the handler that trapped. */
export const DISPATCHED: u32 = 4;
/** Above this bit the guest writes, with DISPATCHED, the handler's index in the module's table of functions; 0 if it has none. */
export const HANDLER_SHIFT: u32 = 8;

/** Kinds of event that an accept listens for; the auxiliary word of its completions. A bit each. */
export enum EventKind {
  /** An HTTP request. The resource is its exchange, the payload its head. */
  Fetch = 1,
}

/** What fetch does with a redirect, argument 1. Every hop is checked against the granted origins. */
export enum RedirectMode {
  Follow = 0,
  /** The 3xx response is the result. */
  Manual = 1,
  /** A redirect completes with Redirect. */
  Error = 2,
}

/** The answer to a cancel. */
export enum CancelResult {
  /** The handler sees Cancelled, even if the work has succeeded meanwhile. */
  Won = 0,
  /** The operation had completed already. */
  TooLate = 1,
  /** No operation had this token. */
  Unknown = 2,
}

/** Success is ≥ 0, an error is negative. A number that is not listed is a generic failure. */
export enum Status {
  Ok = 0,

  // Contract: −1 to −31.

  /** An argument has a value that the operation does not allow. */
  Invalid = -1,
  /** A pointer and its length do not lie inside the guest's memory. */
  Fault = -2,
  /** No such resource here, or it is of another kind. */
  BadResource = -3,
  /** The resource was granted without this right, or the URL is outside the granted origins. */
  NotPermitted = -4,
  /** This host has no such operation. */
  NotSupported = -5,
  /** The host is at its limit now; the same call may succeed after a completion. */
  Again = -6,
  /** There is nothing under this name. */
  NotFound = -7,
  /** The guest cancelled the operation. */
  Cancelled = -8,
  /** The deadline passed first; the work was aborted. */
  TimedOut = -9,
  /** More bytes than the limit or the guest's arena allows. */
  TooBig = -10,
  /** The exchange was answered already, or the body was read already. */
  Closed = -11,
  /** The host is shutting down. */
  ShutDown = -12,
  /** Any other failure; the payload may say more. */
  Failed = -13,

  // Transport: −32 to −63.

  /** The connection failed. */
  Network = -32,
  /** The peer or the platform ended the transfer. */
  Aborted = -33,
  /** Too many redirects, or one that the redirect mode refuses. */
  Redirect = -34,

  // Store: −64 to −95.

  /** The store is full or the account's allowance is used up. */
  Quota = -64,
  /** A condition of the write does not hold. */
  Precondition = -65,
  /** Too many writes to one key, or too many calls; wait before the next. */
  RateLimited = -66,
}

// Limits of the contract. A host's own limits may be lower, never higher.

/** Submissions in one call of `submit`. */
export const SUBMIT_COUNT_MAX: u32 = 4_096;
/** A token's slot is below this number, so operations in flight are at most this many. */
export const SLOT_COUNT_MAX: u32 = 1_048_576;
/** Resource numbers are 1 to this number; each is given out once. */
export const RESOURCE_MAX: u32 = 0x7fff_ffff;
/** Bytes of a name given to `open`. */
export const RESOURCE_NAME_BYTES_MAX: u32 = 256;
/** Bytes of each text that `abort` reports; the host drops what is longer. */
export const ABORT_TEXT_BYTES_MAX: u32 = 1_024;
/** Pairs in a list of headers. */
export const PAIR_COUNT_MAX: u32 = 1_024;
/** Milliseconds of a timer or a deadline: 24.8 days, what a platform's timer takes. */
export const TIMER_MS_MAX: u32 = 0x7fff_ffff;
/** Bytes that the guest library's arena grows to; a larger payload completes with TooBig. */
export const ARENA_BYTES_MAX: u32 = 33_554_432;
/** Bytes of a key, UTF-8. */
export const KV_KEY_BYTES_MAX: u32 = 512;
/** Bytes of a value. */
export const KV_VALUE_BYTES_MAX: u32 = 26_214_400;
/** Bytes of a value's metadata, serialised JSON. */
export const KV_METADATA_BYTES_MAX: u32 = 1_024;
/** Keys in one answer to a list. */
export const KV_LIST_COUNT_MAX: u32 = 1_000;
/** Seconds since 1970, or from now, at which a value may end at the latest; what Workers KV takes. */
export const KV_SECONDS_MAX: u32 = 0x7fff_ffff;
/** Seconds; the least time to live of a value. */
export const KV_TTL_SECONDS_MIN: u32 = 60;
/** Seconds; the least time that an edge cache keeps a value. */
export const KV_CACHE_TTL_SECONDS_MIN: u32 = 30;
