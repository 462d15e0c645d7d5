//! Limits: everything that a guest could otherwise make grow has one, named with its unit last.

use crate::Error;
use crate::abi::{KV_VALUE_BYTES_MAX, SLOT_COUNT_MAX};

/// What a guest may use at most. Start from the defaults: `Limits { in_flight: 100, ..Limits::default() }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Operations in flight in one instance; more are refused. At most 1,048,576.
    pub in_flight: u32,
    /// Completions that one `run` dispatches at most.
    pub budget: u32,
    /// Runs of one request before others go first.
    pub runs: u32,
    /// Bytes of arguments that the host holds for one instance's operations.
    pub argument_bytes: u32,
    /// Resources that one instance's guest holds at once: what it opened, exchanges, and bodies left on the host.
    pub resources: u32,
    /// Bytes of a body or value that is brought into the guest.
    pub body_bytes: u32,
    /// Calls of one request that may wait for an answer's headers at once.
    pub connections: u32,
    /// Milliseconds that an operation waits for another request.
    pub wait_ms: u32,
    /// Redirects that a fetch follows.
    pub redirects: u32,
    /// Traps after which a shared instance is replaced, though each was contained.
    pub traps: u32,
    /// Bytes of linear memory of all the idle instances together that are kept for reuse.
    pub idle_bytes: u32,
    /// Bytes of linear memory above which an instance is replaced once it is idle: memory never shrinks.
    pub memory_bytes: u32,
    /// Milliseconds that one call into the module may take; it is stopped then, and traps.
    pub run_ms: u32,
    /// Bytes that the linear memory of an instance may grow to; `memory.grow` fails beyond.
    pub grow_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 65_536,
            budget: 256,
            runs: 64,
            argument_bytes: 64 << 20,
            resources: 65_536,
            body_bytes: KV_VALUE_BYTES_MAX,
            connections: 6,
            wait_ms: 30_000,
            redirects: 20,
            traps: 100,
            idle_bytes: 64 << 20,
            memory_bytes: 16 << 20,
            run_ms: 10_000,
            grow_bytes: 1 << 30,
        }
    }
}

impl Limits {
    /// Refuses what is no positive whole number, or more than a module could take.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        const MAX: u32 = i32::MAX as u32;
        let entries = [
            ("in_flight", self.in_flight, SLOT_COUNT_MAX),
            ("budget", self.budget, MAX),
            ("runs", self.runs, MAX),
            ("argument_bytes", self.argument_bytes, MAX),
            ("resources", self.resources, MAX),
            ("body_bytes", self.body_bytes, MAX),
            ("connections", self.connections, MAX),
            ("wait_ms", self.wait_ms, MAX),
            ("redirects", self.redirects, MAX),
            ("traps", self.traps, MAX),
            ("idle_bytes", self.idle_bytes, MAX),
            ("memory_bytes", self.memory_bytes, MAX),
            ("run_ms", self.run_ms, MAX),
            ("grow_bytes", self.grow_bytes, MAX),
        ];
        match entries.into_iter().find(|(_, value, max)| !(1..=*max).contains(value)) {
            Some((name, value, max)) => Err(Error::Limit { name, value, max }),
            None => Ok(self),
        }
    }
}
