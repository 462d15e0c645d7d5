//! Operation: one submission from its admission to its final completion, and the table of what the host can do.

mod accept;
mod cancel;
mod close;
mod fetch;
mod kv;
mod noop;
mod read;
mod report;
mod respond;
mod timer;
mod wait;
mod wake;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;

use crate::Body;
use crate::abi::Opcode;
use crate::abort::Abort;
use crate::context::ContextId;
use crate::deadlines::DeadlineKey;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::platform::BoxFuture;
use crate::report::Token;
use crate::submission::Submission;

/// The host's half of one kind of operation.
pub(crate) struct Processor {
    pub opcode: Opcode,
    /// As the guest's author knows it.
    pub name: &'static str,
    /// Whether it belongs to the instance rather than to the context that submits it.
    pub of_instance: bool,
    /// The operation's own submission flags.
    pub flags: u32,
    /// Reads and checks the arguments, inside `submit`, and says what there is to do. Has changed nothing if it fails.
    pub decode: fn(&Submission<'_>, &mut Instance, ContextId) -> Result<Work, Failure>,
    /// Whether this is admitted even when the host is full: it makes room, or ends what holds it.
    pub relieves: Option<fn(&Submission<'_>, &Instance, ContextId) -> bool>,
    /// Whether it only tells the host something, which it hears even when it is full or shutting down.
    pub tells: bool,
}

impl Processor {
    const fn new(
        opcode: Opcode,
        name: &'static str,
        decode: fn(&Submission<'_>, &mut Instance, ContextId) -> Result<Work, Failure>,
    ) -> Self {
        Self { opcode, name, of_instance: false, flags: 0, decode, relieves: None, tells: false }
    }
}

/// By opcode.
pub(crate) const OPERATIONS: [&Processor; 15] = [
    &noop::NOOP,
    &cancel::CANCEL,
    &close::CLOSE,
    &timer::TIMER,
    &accept::ACCEPT,
    &respond::RESPOND,
    &read::READ,
    &fetch::FETCH,
    &kv::GET,
    &kv::PUT,
    &kv::DELETE,
    &kv::LIST,
    &report::REPORT,
    &wait::WAIT,
    &wake::WAKE,
];

/// Each at the index that its opcode says, or this does not compile.
const _: () = {
    let mut index = 0;
    while index < OPERATIONS.len() {
        assert!(OPERATIONS[index].opcode as usize == index);
        index += 1;
    }
};

pub(crate) fn processor(opcode: u32) -> Option<&'static Processor> {
    OPERATIONS.get(opcode as usize).copied()
}

/// The operation's name as the guest's author knows it.
pub(crate) fn name_of(opcode: u32) -> String {
    processor(opcode).map_or_else(|| format!("opcode {opcode}"), |processor| processor.name.to_owned())
}

/// What an operation does next.
pub(crate) enum Work {
    /// Nothing: it has succeeded.
    Done(Outcome),
    /// It succeeds after some time.
    After(Duration),
    /// It completes when somebody says so, and times out before if a time is given.
    Held(Option<Duration>),
    /// It goes on outside of the guest.
    Later { abort: Abort, future: BoxFuture<Result<Outcome, Failure>> },
}

impl Work {
    pub fn done() -> Result<Self, Failure> {
        Ok(Self::Done(Outcome::default()))
    }

    pub fn later<F>(abort: Abort, future: F) -> Result<Self, Failure>
    where
        F: Future<Output = Result<Outcome, Failure>> + Send + 'static,
    {
        Ok(Self::Later { abort, future: Box::pin(future) })
    }
}

/// How an operation succeeded.
#[derive(Default)]
pub(crate) struct Outcome {
    pub auxiliary: u32,
    pub payload: Bytes,
    /// A response whose body the guest gets as a resource.
    pub response: Option<Response<Body>>,
}

/// What names a submission in its completion and in reports.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub slot: u32,
    pub generation: u32,
    pub opcode: u32,
    /// Whether no handler waits for it.
    pub detached: bool,
}

impl Origin {
    pub fn of(submission: &Submission<'_>) -> Self {
        let Submission { slot, generation, opcode, .. } = *submission;
        Self { slot, generation, opcode, detached: submission.flags & crate::abi::DETACHED != 0 }
    }

    pub fn token(&self) -> Token {
        Token { slot: self.slot, generation: self.generation }
    }
}

/// An operation in flight.
pub(crate) struct Operation {
    pub origin: Origin,
    /// Tells those apart that have had the same slot, and orders them by submission.
    pub serial: u64,
    /// The resource that it works on; closing that one cancels this.
    pub target: u32,
    /// Bytes of arguments that the host holds for it.
    pub held_bytes: u64,
    /// Tells its work that nobody wants the result.
    pub abort: Option<Abort>,
    pub deadline: Option<DeadlineKey>,
}

/// Work under way, with what it needs to find its operation again.
pub(crate) struct Working {
    pub slot: u32,
    pub serial: u64,
    pub future: BoxFuture<Result<Outcome, Failure>>,
}

/// What has become of some work.
pub(crate) struct Settled {
    pub slot: u32,
    pub serial: u64,
    pub result: Result<Outcome, Failure>,
}

impl Future for Working {
    type Output = Settled;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Settled> {
        let Working { slot, serial, .. } = *self;
        self.future.as_mut().poll(context).map(|result| Settled { slot, serial, result })
    }
}
