//! Abort: tells work that nobody wants its result.
//!
//! Work is told and not dropped: a call that has begun keeps its connection until it returns, and what it brings then
//! is counted and disposed of. What returns as soon as it is told, as the network does, frees its connection at once.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures_util::future::{Either, select};
use futures_util::task::AtomicWaker;

/// Whether the result of some work is still wanted. One task at a time may wait for it.
#[derive(Clone, Default)]
pub struct Abort(Arc<State>);

#[derive(Default)]
struct State {
    aborted: AtomicBool,
    waker: AtomicWaker,
}

impl Abort {
    pub(crate) fn abort(&self) {
        self.0.aborted.store(true, Ordering::Release);
        self.0.waker.wake();
    }

    pub fn is_aborted(&self) -> bool {
        self.0.aborted.load(Ordering::Acquire)
    }

    /// Resolves when the result is not wanted any more.
    pub async fn aborted(&self) {
        poll_fn(|context| {
            self.0.waker.register(context.waker());
            if self.is_aborted() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// The output of `work`, or none if it was aborted before; `work` is dropped then.
    pub async fn or<F: Future>(&self, work: F) -> Option<F::Output> {
        let aborted = std::pin::pin!(self.aborted());
        match select(aborted, std::pin::pin!(work)).await {
            Either::Left(_) => None,
            Either::Right((output, _)) => Some(output),
        }
    }
}
