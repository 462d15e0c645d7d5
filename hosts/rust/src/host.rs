//! Host: what instances and contexts need of the proactor that owns them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::counters::Counts;
use crate::report::Report;
use crate::resource::Grant;
use crate::{Isolation, Limits, OnError, Platform};

/// How a proactor shuts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shutdown {
    /// What is in flight completes as it would have; what is submitted from now on completes as ShutDown.
    Graceful = 1,
    /// What is in flight ends as ShutDown, and its request after its handlers have heard so.
    Now = 2,
}

pub(crate) struct Host {
    pub limits: Limits,
    pub isolation: Isolation,
    pub platform: Platform,
    pub grants: BTreeMap<String, Grant>,
    pub counts: Counts,
    on_error: OnError,
    shutdown: AtomicU8,
}

impl Host {
    pub fn new(
        limits: Limits,
        isolation: Isolation,
        platform: Platform,
        grants: BTreeMap<String, Grant>,
        on_error: OnError,
    ) -> Self {
        let counts = Counts::default();
        Self { limits, isolation, platform, grants, counts, on_error, shutdown: AtomicU8::new(0) }
    }

    /// How it is shutting down, if it is.
    pub fn shutdown(&self) -> Option<Shutdown> {
        match self.shutdown.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Shutdown::Graceful),
            _ => Some(Shutdown::Now),
        }
    }

    /// Begins to shut down, or cuts that short. It never becomes more lenient.
    pub fn set_shutdown(&self, mode: Shutdown) {
        self.shutdown.fetch_max(mode as u8, Ordering::AcqRel);
    }

    /// Tells the owner. What the owner does wrong costs no request.
    pub fn report(&self, report: &Report) {
        if catch_unwind(AssertUnwindSafe(|| (self.on_error)(report))).is_err() {
            eprintln!("wasm-proactor: unexpected: on_error panicked");
        }
    }
}
