//! Submission: one 64-byte record, read and checked inside `submit`.
//!
//! ```text
//!   +0               +4                +8              +12
//! ├────────────────┼─────────────────┼───────┬───────┼────────────────┤
//! │  token slot    │ token generation│opcode │ flags │    resource    │ +0
//! ├────────────────┼─────────────────┼───────┴───────┼────────────────┤
//! │  deadline_ms   │  name pointer   │  name bytes   │  data pointer  │ +16
//! ├────────────────┼─────────────────┼───────────────┼────────────────┤
//! │  data bytes    │  meta pointer   │  meta bytes   │   argument 0   │ +32
//! ├────────────────┼─────────────────┼───────────────┼────────────────┤
//! │  argument 1    │  argument 2     │  argument 3   │ reserved, zero │ +48
//! └────────────────┴─────────────────┴───────────────┴────────────────┘
//! ```

use crate::abi::{SLOT_COUNT_MAX, Status, TIMER_MS_MAX};
use crate::failure::Failure;
use crate::memory::{text, view, word};
use crate::operation::OPERATIONS;
use crate::pairs;

/// Where an argument lies, as the guest says.
#[derive(Clone, Copy)]
struct Argument {
    at: u32,
    bytes: u32,
}

/// A record, and the memory that its arguments lie in.
pub(crate) struct Submission<'m> {
    memory: &'m [u8],
    pub slot: u32,
    pub generation: u32,
    pub opcode: u32,
    pub flags: u32,
    pub resource: u32,
    pub deadline_ms: u32,
    name: Argument,
    data: Argument,
    meta: Argument,
    pub arguments: [u32; 3],
    reserved: u32,
}

impl<'m> Submission<'m> {
    /// Reads the record at `at`, which lies inside the memory.
    pub fn read(memory: &'m [u8], at: usize) -> Self {
        let word = |offset: usize| word(memory, at + offset);
        let argument = |offset: usize| Argument { at: word(offset), bytes: word(offset + 4) };
        let opcode_and_flags = word(8);
        Self {
            memory,
            slot: word(0),
            generation: word(4),
            opcode: opcode_and_flags & 0xffff,
            flags: opcode_and_flags >> 16,
            resource: word(12),
            deadline_ms: word(16),
            name: argument(20),
            data: argument(28),
            meta: argument(36),
            arguments: [word(44), word(48), word(52)],
            reserved: word(60),
        }
    }

    /// Says what is wrong with the record itself, whatever its operation.
    pub fn check(&self, flags_allowed: u32) -> Result<(), Failure> {
        if self.opcode as usize >= OPERATIONS.len() {
            return Err(Failure::new(Status::NotSupported, format!("opcode {} is unknown", self.opcode)));
        }
        if self.slot >= SLOT_COUNT_MAX {
            return Err(Failure::invalid(format!("slot {} is over the limit", self.slot)));
        }
        if self.reserved != 0 {
            return Err(Failure::invalid("the reserved word is not 0"));
        }
        if self.flags & !flags_allowed != 0 {
            return Err(Failure::invalid("a reserved flag is set"));
        }
        if self.deadline_ms > TIMER_MS_MAX {
            return Err(Failure::invalid("the deadline is over the limit"));
        }
        for (what, argument) in [("name", self.name), ("data", self.data), ("meta", self.meta)] {
            if argument.bytes != 0 && view(self.memory, argument.at, argument.bytes).is_none() {
                return Err(Failure::new(Status::Fault, format!("{what} lies outside memory")));
            }
        }
        Ok(())
    }

    /// Bytes that the host must copy to perform this.
    pub fn argument_bytes(&self) -> u64 {
        u64::from(self.name.bytes) + u64::from(self.data.bytes) + u64::from(self.meta.bytes)
    }

    pub fn name_bytes(&self) -> usize {
        self.name.bytes as usize
    }

    pub fn meta_bytes(&self) -> usize {
        self.meta.bytes as usize
    }

    // What follows is for those that `check` has found right.

    fn bytes(&self, argument: Argument) -> &'m [u8] {
        match argument.bytes {
            0 => &[],
            bytes => view(self.memory, argument.at, bytes).unwrap_or_default(),
        }
    }

    pub fn name(&self) -> Result<&'m str, Failure> {
        text(self.bytes(self.name))
    }

    pub fn data(&self) -> &'m [u8] {
        self.bytes(self.data)
    }

    pub fn data_text(&self) -> Result<&'m str, Failure> {
        text(self.data())
    }

    pub fn meta_text(&self) -> Result<&'m str, Failure> {
        text(self.bytes(self.meta))
    }

    pub fn meta_pairs(&self) -> Result<Vec<(&'m str, &'m str)>, Failure> {
        pairs::decode(self.bytes(self.meta))
    }
}
