//! Completion queue: writes what `poll` asks for, and remembers it until the next `poll`.
//!
//! The queue itself is the array in the guest's memory. Here is kept what its records stand for, so that after a trap
//! the one whose handler was running has a name.
//!
//! ```text
//!   +0               +4                +8              +12
//! ├────────────────┼─────────────────┼───────────────┼────────────────┤
//! │  token slot    │ token generation│  status, i32  │     flags      │ +0
//! ├────────────────┼─────────────────┼───────────────┼────────────────┤
//! │  resource      │ payload pointer │ payload bytes │   auxiliary    │ +16
//! └────────────────┴─────────────────┴───────────────┴────────────────┘
//! ```

use bytes::Bytes;

use crate::abi::{COMPLETION_BYTES, DISPATCHED, PAYLOAD_ALIGNMENT, Status};
use crate::memory::{set_word, word};
use crate::operation::{self, Origin};

/// What `poll` writes as one record.
pub(crate) struct Completion {
    pub origin: Origin,
    pub status: Status,
    /// Completion flags.
    pub flags: u32,
    pub resource: u32,
    pub payload: Bytes,
    pub auxiliary: u32,
    /// Whether `poll` has told the guest that its arena is too small for this one.
    pub demanded: bool,
}

impl Completion {
    pub fn new(origin: Origin, status: Status) -> Self {
        Self { origin, status, flags: 0, resource: 0, payload: Bytes::new(), auxiliary: 0, demanded: false }
    }
}

/// What was delivered: enough to name it, and to say why it failed.
pub(crate) struct Delivered {
    pub origin: Origin,
    pub status: Status,
    pub message: Bytes,
}

impl Delivered {
    /// The failure's message, as far as it is text.
    pub fn message(&self) -> String {
        String::from_utf8_lossy(&self.message).into_owned()
    }

    /// Its name, as the guest's author knows it.
    pub fn name(&self) -> String {
        operation::name_of(self.origin.opcode)
    }
}

#[derive(Default)]
pub(crate) struct CompletionQueue {
    batch: Vec<Delivered>,
    at: usize,
    /// Where the next payload may begin.
    arena: usize,
    arena_end: usize,
}

const FLAGS: usize = 12;
const PAYLOAD_BYTES: usize = 24;

impl CompletionQueue {
    /// Begins a batch at `at`, with payloads in an arena; both lie inside the memory.
    pub fn begin(&mut self, at: u32, arena: u32, arena_bytes: u32) {
        self.batch.clear();
        self.at = at as usize;
        self.arena = arena as usize;
        self.arena_end = arena as usize + arena_bytes as usize;
    }

    pub fn len(&self) -> u32 {
        self.batch.len() as u32
    }

    pub fn last(&self) -> Option<&Delivered> {
        self.batch.last()
    }

    /// Whether the completion's payload fits into what is left of the arena.
    pub fn has_room_for(&self, completion: &Completion) -> bool {
        let bytes = completion.payload.len();
        bytes == 0 || self.payload_at() + bytes <= self.arena_end
    }

    fn payload_at(&self) -> usize {
        self.arena.next_multiple_of(PAYLOAD_ALIGNMENT as usize)
    }

    fn record_at(&self, index: usize) -> usize {
        self.at + index * COMPLETION_BYTES as usize
    }

    /// Writes one completion, for which there is room.
    pub fn push(&mut self, memory: &mut [u8], completion: Completion) {
        let Completion { origin, status, flags, resource, payload, auxiliary, .. } = completion;
        let payload_at = if payload.is_empty() { 0 } else { self.payload_at() };
        let words = [
            origin.slot,
            origin.generation,
            status as i32 as u32,
            flags,
            resource,
            payload_at as u32,
            payload.len() as u32,
            auxiliary,
        ];
        let record = self.record_at(self.batch.len());
        for (index, value) in words.into_iter().enumerate() {
            set_word(memory, record + index * 4, value);
        }
        if !payload.is_empty() {
            memory[payload_at..payload_at + payload.len()].copy_from_slice(&payload);
            self.arena = payload_at + payload.len();
        }
        // A success says nothing that anybody asks for later.
        let message = if status == Status::Ok { Bytes::new() } else { payload };
        self.batch.push(Delivered { origin, status, message });
    }

    /// Tells in the first record how large an arena would hold this payload, wherever the arena begins.
    pub fn demand(&self, memory: &mut [u8], payload_bytes: usize) -> Status {
        set_word(memory, self.record_at(0) + PAYLOAD_BYTES, payload_bytes as u32 + PAYLOAD_ALIGNMENT);
        Status::TooBig
    }

    /// The one whose handler was called last: the guest marks a record before it calls the record's handler.
    pub fn running(&self, memory: &[u8]) -> Option<&Delivered> {
        // Once all are dispatched, the guest uses the first record to tell handlers that their submission was refused.
        let first = self.batch.first()?;
        let record = self.record_at(0);
        let is_first = word(memory, record) == first.origin.slot && word(memory, record + 4) == first.origin.generation;
        let is_dispatched = |index: &usize| word(memory, self.record_at(*index) + FLAGS) & DISPATCHED != 0;
        if !is_first {
            return None;
        }
        (0..self.batch.len()).rev().find(is_dispatched).map(|index| &self.batch[index])
    }
}
