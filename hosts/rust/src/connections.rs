//! Connections: at most so many calls of one context wait for an answer's headers at once; more wait here, in order.
//!
//! Queueing here keeps the order fair and lets a cancelled operation leave the queue without ever having started.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::abi::Status;
use crate::abort::Abort;
use crate::failure::Failure;

#[derive(Clone)]
pub(crate) struct Connections(Arc<Semaphore>);

impl Connections {
    pub fn new(max: u32) -> Self {
        Self(Arc::new(Semaphore::new((max as usize).min(Semaphore::MAX_PERMITS))))
    }

    /// Takes a connection until what it gives is dropped; waits for one if all are taken.
    pub async fn take(&self, abort: &Abort) -> Result<OwnedSemaphorePermit, Failure> {
        let permit = abort.or(self.0.clone().acquire_owned()).await;
        permit.and_then(Result::ok).ok_or_else(|| Failure::new(Status::Aborted, "it was given up before its turn"))
    }
}
