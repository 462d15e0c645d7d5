//! The numbers of the contract `proactor_v1` that a host reads or writes.
//!
//! `assembly/abi.ts` is their source; a test compares the two, name by name.

pub(crate) const SUBMISSION_BYTES: u32 = 64;
pub(crate) const COMPLETION_BYTES: u32 = 32;
/// Payloads start at multiples of this many bytes.
pub(crate) const PAYLOAD_ALIGNMENT: u32 = 8;
pub(crate) const PAIRS_HEAD_BYTES: u32 = 4;
pub(crate) const PAIR_LENGTHS_BYTES: u32 = 8;

/// Submission flag of Accept: the head has the request's headers too.
pub(crate) const ACCEPT_HEADERS: u32 = 1;
/// Submission flag of Respond: take status and headers from the forwarded response too.
pub(crate) const RESPOND_FORWARD: u32 = 1;
/// Submission flag of Fetch: the completion carries the body.
pub(crate) const FETCH_BODY: u32 = 1;
/// Submission flag of KvGet: the payload starts with the metadata.
pub(crate) const KV_METADATA: u32 = 1;
/// Submission flag of Report: something else took the place of what failed.
pub(crate) const REPORT_DROPPED: u32 = 1;
/// Submission flag of every operation: no handler waits, so the host reports a failure.
pub(crate) const DETACHED: u32 = 0x8000;

/// Completion flag: another completion with this token will follow.
pub(crate) const MORE: u32 = 1;
/// Completion flag: the context has ended; the guest frees the slot and calls nobody.
pub(crate) const RECLAIM: u32 = 2;
/// Completion flag that the guest sets in the record when it calls the record's handler.
pub(crate) const DISPATCHED: u32 = 4;

/// Submissions in one call of `submit`.
pub(crate) const SUBMIT_COUNT_MAX: u32 = 4_096;
/// A token's slot is below this number.
pub(crate) const SLOT_COUNT_MAX: u32 = 1_048_576;
/// Resource numbers are 1 to this number; each is given out once.
pub(crate) const RESOURCE_MAX: u32 = 0x7fff_ffff;
/// Bytes of a name given to `open`.
pub(crate) const RESOURCE_NAME_BYTES_MAX: u32 = 256;
/// Bytes of each text that `abort` reports.
pub(crate) const ABORT_TEXT_BYTES_MAX: u32 = 1_024;
/// Pairs in a list from the guest.
pub(crate) const PAIR_COUNT_MAX: u32 = 1_024;
/// Milliseconds of a timer or a deadline.
pub(crate) const TIMER_MS_MAX: u32 = 0x7fff_ffff;
/// Bytes of a key or a prefix.
pub(crate) const KV_KEY_BYTES_MAX: u32 = 512;
/// Bytes of a value.
pub(crate) const KV_VALUE_BYTES_MAX: u32 = 26_214_400;
/// Bytes of a value's metadata.
pub(crate) const KV_METADATA_BYTES_MAX: u32 = 1_024;
/// Keys in one answer to a list.
pub(crate) const KV_LIST_COUNT_MAX: u32 = 1_000;
/// Seconds, the most of an expiration or a time to live.
pub(crate) const KV_SECONDS_MAX: u32 = 0x7fff_ffff;
/// Seconds, the least time to live of a value.
pub(crate) const KV_TTL_SECONDS_MIN: u32 = 60;
/// Seconds, the least time that an edge cache keeps a value.
pub(crate) const KV_CACHE_TTL_SECONDS_MIN: u32 = 30;

/// What a submission asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Opcode {
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

/// Kinds of event, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    Fetch = 1,
}

/// What Fetch does with a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedirectMode {
    Follow = 0,
    Manual = 1,
    Error = 2,
}

/// The answer to a Cancel. `Unknown`, 2, is the guest's half's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CancelResult {
    Won = 0,
    TooLate = 1,
}

/// How an operation ended: success is 0, an error is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Status {
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
    #[expect(dead_code, reason = "no operation of this version has a condition")]
    Precondition = -65,
    RateLimited = -66,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    /// Every number with its name; those of an enum as `Enum.Name`.
    fn numbers(source: &str) -> BTreeMap<String, i64> {
        let mut numbers = BTreeMap::new();
        let mut within = "";
        for line in source.lines().map(str::trim).take_while(|line| *line != "#[cfg(test)]") {
            let words: Vec<_> = line.trim_end_matches([',', ';', '{']).split_whitespace().collect();
            match words.as_slice() {
                [_, "enum", name] => within = *name,
                ["}"] => within = "",
                [.., "const", name, "u32", "=", value] => {
                    numbers.insert(name.trim_end_matches(':').to_owned(), number(value));
                }
                [name, "=", value] if !within.is_empty() => {
                    numbers.insert(format!("{within}.{name}"), number(value));
                }
                _ => {}
            }
        }
        numbers
    }

    fn number(text: &str) -> i64 {
        let text = text.replace('_', "");
        match text.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16),
            None => text.parse(),
        }
        .unwrap_or_else(|_| panic!("{text} is no number"))
    }

    #[test]
    fn the_numbers_are_those_of_the_contract() {
        let contract = numbers(&std::fs::read_to_string("../../assembly/abi.ts").expect("assembly/abi.ts"));
        let ours = numbers(include_str!("abi.rs"));
        assert!(ours.len() > 60, "found {} numbers", ours.len());
        for (name, value) in &ours {
            assert_eq!(contract.get(name), Some(value), "{name}");
        }
        assert_eq!(contract["OPCODE_COUNT"], crate::operation::OPERATIONS.len() as i64);
    }
}
