//! Deadlines: everything of one context that is due at a time; its task sleeps until the earliest.
//!
//! An ordered map, because most deadlines are taken back before they are due. Ties go by order of submission.

use std::collections::BTreeMap;
use std::time::Duration;

/// Names a deadline: when it is due, and its place among those that are due then.
pub(crate) type DeadlineKey = (Duration, u64);

/// What happens to the operation in this slot.
#[derive(Clone, Copy)]
pub(crate) enum Expiry {
    Succeed { slot: u32 },
    TimeOut { slot: u32 },
}

#[derive(Default)]
pub(crate) struct Deadlines {
    entries: BTreeMap<DeadlineKey, Expiry>,
    order: u64,
}

impl Deadlines {
    pub fn add(&mut self, due: Duration, expiry: Expiry) -> DeadlineKey {
        let key = (due, self.order);
        self.order += 1;
        self.entries.insert(key, expiry);
        key
    }

    pub fn remove(&mut self, key: DeadlineKey) {
        self.entries.remove(&key);
    }

    pub fn earliest(&self) -> Option<Duration> {
        self.entries.keys().next().map(|(due, _)| *due)
    }

    /// Takes the next one that is due by `now`.
    pub fn take_due(&mut self, now: Duration) -> Option<Expiry> {
        let entry = self.entries.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }
}
