//! Options: what the owner of a proactor decides, and what can be wrong with it.

use std::sync::Arc;

use crate::{Limits, OnError, Platform, Resources};

/// How far a trap reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// A new instance for each request.
    Request,
    /// One request at a time in each instance, which is reused after a clean end.
    #[default]
    Pooled,
    /// Many requests at once in one instance.
    Shared,
}

/// What the owner of a proactor decides.
pub struct Options {
    /// What the guest may open, by name.
    pub resources: Resources,
    pub isolation: Isolation,
    pub limits: Limits,
    /// Told of what no handler of the guest has dealt with. By default each becomes a line on the error output.
    pub on_error: OnError,
    /// Time, randomness, console and tasks: the machine's and tokio's, virtual in tests.
    pub platform: Platform,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            resources: Resources::default(),
            isolation: Isolation::default(),
            limits: Limits::default(),
            on_error: Arc::new(|report| eprintln!("{report}")),
            platform: Platform::default(),
        }
    }
}

/// Why there is no proactor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The module is none, or no guest of this contract.
    #[error("{0}")]
    Module(String),
    #[error("the module trapped while it started: {0}")]
    Start(String),
    #[error("origin: \"{0}\" is none; write it as https://api.example.com, without a path")]
    Origin(String),
    #[error("limits.{name}: {value} is no whole number from 1 to {max}")]
    Limit { name: &'static str, value: u32, max: u32 },
}
