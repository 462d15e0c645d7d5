//! Context: what was started on behalf of one event belongs together, and its completions come on its own turns.
//!
//! So each context has operations, resources, deadlines and a queue of completions of its own, and another's number or
//! token is not found. The instance has a context too, for what belongs to no request: its accept, and slots to be
//! reclaimed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use http::{Method, Response};

use crate::Body;
use crate::abi::Opcode;
use crate::completion_queue::Completion;
use crate::connections::Connections;
use crate::deadlines::Deadlines;
use crate::operation::{Operation, Working};
use crate::report::ContextFailure;
use crate::resource::Resource;

/// Names a context, once in the life of a proactor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ContextId(pub u64);

impl ContextId {
    /// Of what belongs to no request.
    pub const INSTANCE: Self = Self(0);
}

#[derive(Default)]
pub(crate) struct Context {
    pub method: Method,
    /// Absolute; empty for the instance's own context.
    pub url: String,
    /// Admitted operations that have not completed, by slot.
    pub in_flight: BTreeMap<u32, Operation>,
    /// Completions that wait for a turn. Their places were reserved at admission: an operation counts until polled.
    pub pending: VecDeque<Completion>,
    pub resources: BTreeMap<u32, Resource>,
    pub deadlines: Deadlines,
    /// Made on demand: many a request needs none.
    pub connections: Option<Connections>,
    /// Work that has begun on this turn, for the request's task to go on with.
    pub started: Vec<Working>,
    /// The guest's answer, until the request's task takes it.
    pub response: Option<Response<Body>>,
    /// Why there will be none.
    pub failure: Option<ContextFailure>,
    pub answered: bool,
    pub ended: bool,
    pub signal: Arc<Signal>,
}

impl Context {
    /// The event as reports name it.
    pub fn title(&self) -> String {
        match self.url.as_str() {
            "" => "the start of the module".to_owned(),
            url => format!("{} {url}", self.method),
        }
    }

    /// The operation in flight that has this token.
    pub fn find(&self, slot: u32, generation: u32) -> Option<&Operation> {
        self.in_flight.get(&slot).filter(|operation| operation.origin.generation == generation)
    }

    /// Whether it waits for another context, in a way that the guest alone knows.
    pub fn waits(&self) -> bool {
        self.in_flight.values().any(|operation| operation.origin.opcode == Opcode::Wait as u32)
    }

    /// The slots in flight that `filter` picks, in the order of submission.
    pub fn slots(&self, filter: impl Fn(&Operation) -> bool) -> Vec<u32> {
        let mut picked: Vec<_> = self.in_flight.values().filter(|operation| filter(operation)).collect();
        picked.sort_by_key(|operation| operation.serial);
        picked.into_iter().map(|operation| operation.origin.slot).collect()
    }
}

/// How others reach a request's task: they call, and it looks what there is for it.
#[derive(Default)]
pub(crate) struct Signal {
    called: AtomicBool,
    waker: AtomicWaker,
}

impl Signal {
    pub fn call(&self) {
        self.called.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether it was called since the last time; wakes the task when it is.
    pub fn was_called(&self, waker: &Waker) -> bool {
        self.waker.register(waker);
        self.called.swap(false, Ordering::AcqRel)
    }
}
