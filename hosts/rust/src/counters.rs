//! Counters: how many of each there have been, or are now.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// A snapshot: what a proactor has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests that have not ended, now.
    pub contexts: u64,
    /// Operations admitted and not yet delivered, now; an instance's accept is one.
    pub in_flight: u64,
    /// Final completions delivered.
    pub completed: u64,
    /// Submissions refused because a limit was reached.
    pub refused: u64,
    /// Results that came after their operation had ended; disposed of.
    pub late: u64,
    /// Completions of ended contexts, by which the guest's slots were freed.
    pub reclaimed: u64,
    /// Turns that ended in a trap.
    pub traps: u64,
    /// Requests whose client went away before its answer.
    pub killed: u64,
    /// Instances that exist, now.
    pub instances: u64,
    /// Instances made since the start.
    pub instantiated: u64,
}

/// Counts from any thread. Relaxed: each number stands for itself.
#[derive(Default)]
pub(crate) struct Count(AtomicI64);

impl Count {
    pub fn add(&self, n: i64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub fn increment(&self) {
        self.add(1);
    }

    pub fn decrement(&self) {
        self.add(-1);
    }

    fn read(&self) -> u64 {
        self.0.load(Relaxed).try_into().unwrap_or(0)
    }
}

#[derive(Default)]
pub(crate) struct Counts {
    pub contexts: Count,
    pub in_flight: Count,
    pub completed: Count,
    pub refused: Count,
    pub late: Count,
    pub reclaimed: Count,
    pub traps: Count,
    pub killed: Count,
    pub instances: Count,
    pub instantiated: Count,
}

impl Counts {
    pub fn read(&self) -> Counters {
        Counters {
            contexts: self.contexts.read(),
            in_flight: self.in_flight.read(),
            completed: self.completed.read(),
            refused: self.refused.read(),
            late: self.late.read(),
            reclaimed: self.reclaimed.read(),
            traps: self.traps.read(),
            killed: self.killed.read(),
            instances: self.instances.read(),
            instantiated: self.instantiated.read(),
        }
    }
}
