//! Memory: the guest's linear memory, seen through checks.
//!
//! The guest is not trusted. A pointer and a length become a range only if the range lies inside the memory as it is
//! now. The host borrows the memory for one import call and no longer, which the compiler checks.

use std::ops::Range;

use crate::failure::Failure;

/// The range, if it lies inside a memory of `size` bytes.
pub(crate) fn range(size: usize, at: u32, length: u32) -> Option<Range<usize>> {
    let (at, length) = (at as usize, length as usize);
    (length <= size && at <= size - length).then(|| at..at + length)
}

/// The bytes, if all of them lie inside.
pub(crate) fn view(memory: &[u8], at: u32, length: u32) -> Option<&[u8]> {
    range(memory.len(), at, length).map(|range| &memory[range])
}

/// The word at `at`, which lies inside.
pub(crate) fn word(memory: &[u8], at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&memory[at..at + 4]);
    u32::from_le_bytes(bytes)
}

/// Writes a word at `at`, which lies inside.
pub(crate) fn set_word(memory: &mut [u8], at: usize, word: u32) {
    memory[at..at + 4].copy_from_slice(&word.to_le_bytes());
}

/// The text, if it is UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|_| Failure::invalid("text is not UTF-8"))
}
