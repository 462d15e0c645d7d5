//! The numbers of the contract `proactor_v1` that a host reads or writes.
//!
//! `assembly/abi.ts` is their source; a test compares the two, name by name.

pub const SUBMISSION_BYTES: u32 = 64;
pub const COMPLETION_BYTES: u32 = 32;
/// Payloads start at multiples of this many bytes.
pub const PAYLOAD_ALIGNMENT: u32 = 8;
pub const PAIRS_HEAD_BYTES: u32 = 4;
pub const PAIR_LENGTHS_BYTES: u32 = 8;

/// Submission flag of Accept: the head has the request's headers too.
pub const ACCEPT_HEADERS: u32 = 1;
/// Submission flag of Respond: take status and headers from the forwarded response too.
pub const RESPOND_FORWARD: u32 = 1;
/// Submission flag of Fetch: the completion carries the body.
pub const FETCH_BODY: u32 = 1;
/// Submission flag of KvGet: the payload starts with the metadata.
pub const KV_METADATA: u32 = 1;
/// Submission flag of Report: something else took the place of what failed.
pub const REPORT_DROPPED: u32 = 1;
/// Submission flag of every operation: no handler waits, so the host reports a failure.
pub const DETACHED: u32 = 0x8000;

/// Completion flag: another completion with this token will follow.
pub const MORE: u32 = 1;
/// Completion flag: the context has ended; the guest frees the slot and calls nobody.
pub const RECLAIM: u32 = 2;
/// Completion flag that the guest sets in the record when it calls the record's handler.
pub const DISPATCHED: u32 = 4;

/// Submissions in one call of `submit`.
pub const SUBMIT_COUNT_MAX: u32 = 4_096;
/// A token's slot is below this number.
pub const SLOT_COUNT_MAX: u32 = 1_048_576;
/// Resource numbers are 1 to this number; each is given out once.
pub const RESOURCE_MAX: u32 = 0x7fff_ffff;
/// Bytes of a name given to `open`.
pub const RESOURCE_NAME_BYTES_MAX: u32 = 256;
/// Bytes of each text that `abort` reports.
pub const ABORT_TEXT_BYTES_MAX: u32 = 1_024;
/// Pairs in a list from the guest.
pub const PAIR_COUNT_MAX: u32 = 1_024;
/// Milliseconds of a timer or a deadline.
pub const TIMER_MS_MAX: u32 = 0x7fff_ffff;
/// Bytes of a key or a prefix.
pub const KV_KEY_BYTES_MAX: u32 = 512;
/// Bytes of a value.
pub const KV_VALUE_BYTES_MAX: u32 = 26_214_400;
/// Bytes of a value's metadata.
pub const KV_METADATA_BYTES_MAX: u32 = 1_024;
/// Keys in one answer to a list.
pub const KV_LIST_COUNT_MAX: u32 = 1_000;
/// Seconds, the most of an expiration or a time to live.
pub const KV_SECONDS_MAX: u32 = 0x7fff_ffff;
/// Seconds, the least time to live of a value.
pub const KV_TTL_SECONDS_MIN: u32 = 60;
/// Seconds, the least time that an edge cache keeps a value.
pub const KV_CACHE_TTL_SECONDS_MIN: u32 = 30;

/// What a submission asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Opcode {
    Noop = 0,
    Cancel = 1,
    Close = 2,
    Timer = 3,
    Accept = 4,
    Respond = 5,
    Read = 6,
    Fetch = 7,
    KvGet = 8,
    KvPut = 9,
    KvDelete = 10,
    KvList = 11,
    Report = 12,
    Wait = 13,
    Wake = 14,
}

/// The bit of an incoming HTTP request among the kinds of event.
pub const EVENT_FETCH: u32 = 1;

/// What Fetch does with a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectMode {
    Follow = 0,
    Manual = 1,
    Error = 2,
}

/// The answer to a Cancel. `Unknown`, 2, is the guest's half's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelResult {
    Won = 0,
    TooLate = 1,
}

/// How an operation ended: success is 0, an error is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    Ok = 0,
    Invalid = -1,
    Fault = -2,
    BadResource = -3,
    NotPermitted = -4,
    NotSupported = -5,
    Again = -6,
    NotFound = -7,
    Cancelled = -8,
    TimedOut = -9,
    TooBig = -10,
    Closed = -11,
    ShutDown = -12,
    Failed = -13,
    Network = -32,
    Aborted = -33,
    Redirect = -34,
    Quota = -64,
    Precondition = -65,
    RateLimited = -66,
}
