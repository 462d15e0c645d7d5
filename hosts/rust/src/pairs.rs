//! Pairs: the one encoding for lists of names and values.
//!
//! ```text
//!   +0        +4            +8             +4 + 8 × count
//! ├─────────┼─────────────┼──────────────┼── … ──┼──────────────────────┤
//! │  count  │ name bytes  │ value bytes  │  …    │ name, value, name, … │
//! └─────────┴─────────────┴──────────────┴── … ──┴──────────────────────┘
//! ```

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::abi::{PAIR_COUNT_MAX, PAIR_LENGTHS_BYTES, PAIRS_HEAD_BYTES, Status};
use crate::failure::Failure;
use crate::memory::{text, word};

const HEAD: usize = PAIRS_HEAD_BYTES as usize;
const LENGTHS: usize = PAIR_LENGTHS_BYTES as usize;

/// Encodes a list, followed by `tail`.
pub(crate) fn encode<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)], tail: &[u8]) -> Vec<u8> {
    let texts: usize = pairs.iter().map(|(name, value)| name.as_ref().len() + value.as_ref().len()).sum();
    let mut bytes = Vec::with_capacity(HEAD + pairs.len() * LENGTHS + texts + tail.len());
    bytes.extend((pairs.len() as u32).to_le_bytes());
    for (name, value) in pairs {
        bytes.extend((name.as_ref().len() as u32).to_le_bytes());
        bytes.extend((value.as_ref().len() as u32).to_le_bytes());
    }
    for (name, value) in pairs {
        bytes.extend(name.as_ref().as_bytes());
        bytes.extend(value.as_ref().as_bytes());
    }
    bytes.extend(tail);
    bytes
}

/// Decodes a list that fills `bytes`. Invalid if its counts and lengths do not add up to that.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<(&str, &str)>, Failure> {
    let malformed = || Failure::invalid("list of pairs: its lengths disagree");
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    if bytes.len() < HEAD {
        return Err(malformed());
    }
    let count = word(bytes, 0);
    if count > PAIR_COUNT_MAX {
        let message = format!("list of pairs: more than {PAIR_COUNT_MAX} pairs");
        return Err(Failure::new(Status::TooBig, message));
    }
    let count = count as usize;
    let mut rest = bytes.get(HEAD + count * LENGTHS..).ok_or_else(malformed)?;
    let mut take = |length: u32| {
        let (taken, left) = rest.split_at_checked(length as usize).ok_or_else(malformed)?;
        rest = left;
        text(taken)
    };
    let mut pairs = Vec::with_capacity(count);
    for index in 0..count {
        let lengths = HEAD + index * LENGTHS;
        let name = take(word(bytes, lengths))?;
        if name.is_empty() {
            return Err(Failure::invalid("list of pairs: a name is empty"));
        }
        pairs.push((name, take(word(bytes, lengths + 4))?));
    }
    if rest.is_empty() { Ok(pairs) } else { Err(malformed()) }
}

/// Appends headers as the contract has them: in lower case, sorted by name, one pair for each name but `set-cookie`.
pub(crate) fn push_headers<'a>(pairs: &mut Vec<(&'a str, Cow<'a, str>)>, headers: &'a HeaderMap) {
    let start = pairs.len();
    for name in headers.keys() {
        let mut values = headers.get_all(name).iter().map(latin1);
        if *name == header::SET_COOKIE {
            pairs.extend(values.map(|value| (name.as_str(), value)));
        } else if let Some(first) = values.next() {
            let joined = values.fold(first, |joined, value| Cow::Owned(format!("{joined}, {value}")));
            pairs.push((name.as_str(), joined));
        }
    }
    // Stable: cookies stay in the order in which they came.
    pairs[start..].sort_by_key(|(name, _)| *name);
}

/// Encodes headers, followed by `tail`.
pub(crate) fn encode_headers(headers: &HeaderMap, tail: &[u8]) -> Vec<u8> {
    let mut pairs = Vec::with_capacity(headers.len());
    push_headers(&mut pairs, headers);
    encode(&pairs, tail)
}

/// A header's bytes are characters of Latin-1, wherever they are text.
fn latin1(value: &HeaderValue) -> Cow<'_, str> {
    match value.to_str() {
        Ok(ascii) => Cow::Borrowed(ascii),
        Err(_) => Cow::Owned(value.as_bytes().iter().copied().map(char::from).collect()),
    }
}

/// The pairs as headers. Invalid for what HTTP does not allow.
pub(crate) fn headers_of(pairs: &[(&str, &str)]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        let key = HeaderName::from_bytes(name.as_bytes());
        let key = key.map_err(|_| Failure::invalid(format!("headers: \"{name}\" is no name")))?;
        let value = header_value(value)
            .ok_or_else(|| Failure::invalid(format!("headers: the value of \"{name}\" is not allowed by HTTP")))?;
        headers.append(key, value);
    }
    Ok(headers)
}

fn header_value(text: &str) -> Option<HeaderValue> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if text.is_ascii() {
        return HeaderValue::from_str(text).ok();
    }
    let bytes: Option<Vec<u8>> = text.chars().map(|character| u8::try_from(character).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(pairs in prop::collection::vec((".{1,9}", ".{0,9}"), 0..20)) {
            let bytes = encode(&pairs, &[]);
            let decoded = decode(&bytes).unwrap();
            prop_assert!(decoded.iter().copied().eq(pairs.iter().map(|(name, value)| (&**name, &**value))));
        }

        #[test]
        fn what_is_decoded_was_a_list(bytes in list_like()) {
            if let Ok(pairs) = decode(&bytes) && !bytes.is_empty() {
                prop_assert_eq!(encode(&pairs, &[]), bytes);
            }
        }

        #[test]
        fn a_list_that_is_cut_or_longer_is_none(pairs in prop::collection::vec((".{1,9}", ".{0,9}"), 0..9), cut: prop::sample::Index) {
            let bytes = encode(&pairs, &[]);
            let shorter = &bytes[..cut.index(bytes.len())];
            prop_assert!(shorter.is_empty() || decode(shorter).is_err());
            prop_assert!(decode(&encode(&pairs, b"x")).is_err());
        }
    }

    /// Bytes whose counts and lengths are small enough to be right now and then.
    fn list_like() -> impl Strategy<Value = Vec<u8>> {
        let words = prop::collection::vec(0u32..4, 1..8);
        (words, prop::collection::vec(any::<u8>(), 0..8)).prop_map(|(words, texts)| {
            let mut bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
            bytes.extend(texts);
            bytes
        })
    }
}
