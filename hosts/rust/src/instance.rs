//! Instance: the host's side of one instance of the module: whose turn it is, what it holds, and its four functions.
//!
//! `current` is the context on whose turn the guest runs. It is set around every call into the module, and each
//! submission made meanwhile belongs to it. Nothing here waits, and nothing here calls the module.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response};

use crate::Body;
use crate::abi::{
    ABORT_TEXT_BYTES_MAX, COMPLETION_BYTES, DETACHED, EventKind, MORE, Opcode, RECLAIM, RESOURCE_MAX,
    RESOURCE_NAME_BYTES_MAX, SUBMISSION_BYTES, SUBMIT_COUNT_MAX, Status,
};
use crate::completion_queue::{Completion, CompletionQueue};
use crate::connections::Connections;
use crate::context::{Context, ContextId};
use crate::deadlines::Expiry;
use crate::failure::Failure;
use crate::host::{Host, Shutdown};
use crate::memory::{text, view};
use crate::operation::{Operation, Origin, Outcome, Processor, Settled, Work, Working, name_of, processor};
use crate::report::{ContextFailure, Report, ReportKind, SHUT_DOWN};
use crate::resource::{Exchange, Fetched, Grant, Resource};
use crate::submission::Submission;
use crate::wasi::Wasi;
use crate::{Isolation, pairs};

/// Characters of a failure's message: platforms put whole documents into theirs.
const MESSAGE_MAX: usize = 1024;

/// The multishot operation that takes incoming requests.
pub(crate) enum Accept {
    /// The module has not asked for any yet.
    Missing,
    Open {
        origin: Origin,
        wants_headers: bool,
    },
    /// It was ended, and this instance serves nobody any more.
    Ended,
}

/// Unwinds the module's stack from inside `abort`.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct GuestAbort {
    pub message: String,
    pub file: String,
    pub line: u32,
    pub column: u32,
}

pub(crate) struct Instance {
    pub host: Arc<Host>,
    /// What belongs to no request.
    own: Context,
    contexts: BTreeMap<ContextId, Box<Context>>,
    /// The context on whose turn the guest runs.
    pub current: Option<ContextId>,
    pub accept: Accept,
    /// Operations whose completion has not been polled.
    admitted: u32,
    /// Bytes of arguments that the host holds.
    held_bytes: u64,
    /// Resources that the guest holds.
    resources: u32,
    last_resource: u32,
    serial: u64,
    pub traps: u32,
    /// Requests that it serves now.
    pub requests: u32,
    /// It is not in use, and not called again.
    pub retired: bool,
    /// Another has taken its place; it goes with its last request.
    pub replaced: bool,
    /// Whether the last turn ended in a trap, after which the guest tidies up when it is called again.
    pub interrupted: bool,
    pub queue: CompletionQueue,
    /// Completions that the guest may still take on this turn.
    left: u32,
    pub memory_bytes: usize,
    pub wasi: Wasi,
}

impl Instance {
    pub fn new(host: Arc<Host>) -> Self {
        Self {
            wasi: Wasi::new(host.platform.clone()),
            host,
            own: Context::default(),
            contexts: BTreeMap::new(),
            current: None,
            accept: Accept::Missing,
            admitted: 0,
            held_bytes: 0,
            resources: 0,
            last_resource: 0,
            serial: 0,
            traps: 0,
            requests: 0,
            retired: true,
            replaced: false,
            interrupted: false,
            queue: CompletionQueue::default(),
            left: 0,
            memory_bytes: 0,
        }
    }

    /// Puts the instance to use, once the module has been instantiated.
    pub fn begin(&mut self) {
        self.retired = false;
        self.host.counts.instances.increment();
        self.host.counts.instantiated.increment();
    }

    /// Takes the instance out of use.
    pub fn retire(&mut self) {
        if !self.retired {
            self.retired = true;
            self.host.counts.instances.decrement();
            self.host.counts.in_flight.add(-i64::from(self.admitted));
        }
    }

    /// Whether it should be replaced once it is idle: neither its memory nor its numbers ever come back, and one whose
    /// guest has cancelled the accept serves nobody.
    pub fn is_worn_out(&self) -> bool {
        self.memory_bytes > self.host.limits.memory_bytes as usize
            || self.last_resource > RESOURCE_MAX / 2
            || matches!(self.accept, Accept::Ended)
    }

    /// Whether it ended its request so well that another may have it: the accept alone is in flight.
    pub fn is_clean(&self) -> bool {
        !self.retired && self.admitted <= 1 && !self.is_worn_out()
    }

    /// Whether the guest has something to do that belongs to no request: what an ended one held may be another's now.
    pub fn owes_turn(&self) -> bool {
        self.interrupted || !self.own.pending.is_empty()
    }

    /// Begins a turn of a context.
    pub fn begin_turn(&mut self, id: ContextId) {
        self.current = Some(id);
        self.left = self.host.limits.budget;
    }

    /// Whether the guest took nothing on this turn.
    pub fn took_nothing(&self) -> bool {
        self.left == self.host.limits.budget
    }

    // Contexts.

    pub fn context(&self, id: ContextId) -> Option<&Context> {
        if id == ContextId::INSTANCE { Some(&self.own) } else { self.contexts.get(&id).map(|context| &**context) }
    }

    pub fn context_mut(&mut self, id: ContextId) -> Option<&mut Context> {
        if id == ContextId::INSTANCE {
            Some(&mut self.own)
        } else {
            self.contexts.get_mut(&id).map(|context| &mut **context)
        }
    }

    /// How many completions a turn of this context would deliver: what belongs to no request comes with any turn.
    pub fn due(&self, id: ContextId) -> usize {
        self.own.pending.len() + self.contexts.get(&id).map_or(0, |context| context.pending.len())
    }

    /// A request that has come: its exchange is a completion of the accept. False if the guest accepts none.
    pub fn add_request(&mut self, id: ContextId, mut context: Box<Context>, body: Body, headers: &HeaderMap) -> bool {
        self.requests += 1;
        let Accept::Open { origin, wants_headers } = self.accept else {
            self.contexts.insert(id, context);
            return false;
        };
        let mut head = vec![(context.method.as_str(), context.url.as_str().into())];
        if wants_headers {
            pairs::push_headers(&mut head, headers);
        }
        let mut completion = Completion::new(origin, Status::Ok);
        completion.flags = MORE;
        completion.payload = pairs::encode(&head, &[]).into();
        completion.auxiliary = EventKind::Fetch as u32;
        completion.resource = self.take_resource_number();
        context
            .resources
            .insert(completion.resource, Resource::Exchange(Exchange { body: Some(body), answered: false }));
        context.pending.push_back(completion);
        self.contexts.insert(id, context);
        true
    }

    pub fn remove_context(&mut self, id: ContextId) -> Option<Box<Context>> {
        self.contexts.remove(&id)
    }

    /// The event as reports name it.
    pub fn title(&self, id: ContextId) -> String {
        self.context(id).unwrap_or(&self.own).title()
    }

    /// Asks a request's task to look after its context.
    pub fn call(&self, id: ContextId) {
        if let Some(context) = self.contexts.get(&id) {
            context.signal.call();
        }
    }

    /// Where an operation in flight has this token: in this context, or else in the oldest that has one.
    pub fn find(&self, context: ContextId, slot: u32, generation: u32) -> Option<ContextId> {
        let has = |id: &ContextId| self.context(*id).is_some_and(|context| context.find(slot, generation).is_some());
        std::iter::once(&context).chain(self.contexts.keys()).copied().find(has)
    }

    /// Ends a context without waiting for the guest, and aborts what it has begun.
    pub fn end_context(&mut self, id: ContextId, failure: Option<ContextFailure>) {
        let Some(context) = self.contexts.get_mut(&id).filter(|context| !context.ended) else { return };
        context.ended = true;
        context.failure = failure;
        context.deadlines = Default::default();
        self.requests -= 1;
        self.resources -= context.resources.len() as u32;
        // A body that nobody reads holds its connection open.
        context.resources.clear();
        let mut orphans: Vec<_> = std::mem::take(&mut context.in_flight).into_values().collect();
        orphans.sort_by_key(|operation| operation.serial);
        let pending = std::mem::take(&mut context.pending);
        context.signal.call();
        for operation in &orphans {
            self.held_bytes -= operation.held_bytes;
            if let Some(abort) = &operation.abort {
                abort.abort();
            }
        }
        if self.host.isolation == Isolation::Shared {
            // A request's head came under the token of the accept, which lives on.
            let pending = pending.iter().filter(|completion| completion.flags & MORE == 0);
            let origins =
                orphans.iter().map(|operation| operation.origin).chain(pending.map(|completion| completion.origin));
            self.leave(origins.collect());
        }
    }

    /// One request less in a shared instance: the guest frees the slots that it held. Their handlers are not called.
    fn leave(&mut self, orphans: Vec<Origin>) {
        for origin in orphans {
            let mut completion = Completion::new(origin, Status::ShutDown);
            completion.flags = RECLAIM;
            self.own.pending.push_back(completion);
        }
        // Nobody else might have a turn for a long time, and they wait for what this one held.
        if self.owes_turn() && !self.retired {
            for context in self.contexts.values().filter(|context| context.waits()) {
                context.signal.call();
            }
        }
        if self.replaced && self.requests == 0 {
            self.retire();
        }
    }

    /// Fails all requests of a shared instance. The next request gets a new one.
    pub fn condemn(&mut self) {
        self.retire();
        for id in self.contexts.keys().copied().collect::<Vec<_>>() {
            self.end_context(id, Some(ContextFailure::Condemned));
        }
    }

    // Operations: their ends.

    /// Takes what has become of some work. What comes after its operation has ended is let go of.
    pub fn settle(&mut self, id: ContextId, Settled { slot, serial, result }: Settled) {
        let operation = self.context(id).and_then(|context| context.in_flight.get(&slot));
        if operation.is_none_or(|operation| operation.serial != serial) {
            return self.host.counts.late.increment();
        }
        match result {
            Ok(outcome) => self.succeed(id, slot, outcome),
            Err(failure) => {
                self.fail(id, slot, failure);
            }
        }
    }

    pub fn succeed(&mut self, id: ContextId, slot: u32, outcome: Outcome) {
        if let Some(operation) = self.take_operation(id, slot) {
            self.complete(id, operation.origin, Ok(outcome));
        }
    }

    fn fail(&mut self, id: ContextId, slot: u32, failure: Failure) -> Option<Operation> {
        let operation = self.take_operation(id, slot)?;
        self.complete(id, operation.origin, Err(failure));
        Some(operation)
    }

    /// Ends an operation from outside: its work is aborted and its final completion queued, both in this turn.
    pub fn end(&mut self, id: ContextId, slot: u32, status: Status, message: &str) {
        let operation = self.fail(id, slot, Failure::new(status, message));
        if let Some(abort) = operation.and_then(|operation| operation.abort) {
            abort.abort();
        }
    }

    /// Ends the accept: no further request comes.
    pub fn end_accept(&mut self, status: Status, message: &str) {
        if let Accept::Open { origin, .. } = self.accept {
            self.end(ContextId::INSTANCE, origin.slot, status, message);
        }
    }

    /// Ends everything that a request has in flight.
    pub fn end_all(&mut self, id: ContextId) {
        for slot in self.slots(id, |_| true) {
            self.end(id, slot, Status::ShutDown, SHUT_DOWN);
        }
    }

    /// Ends what is due by `now`.
    pub fn expire(&mut self, id: ContextId, now: Duration) {
        while let Some(expiry) = self.context_mut(id).and_then(|context| context.deadlines.take_due(now)) {
            match expiry {
                Expiry::Succeed { slot } => self.succeed(id, slot, Outcome::default()),
                Expiry::TimeOut { slot } => self.end(id, slot, Status::TimedOut, "the deadline passed"),
            }
        }
    }

    fn slots(&self, id: ContextId, filter: impl Fn(&Operation) -> bool) -> Vec<u32> {
        self.context(id).map(|context| context.slots(filter)).unwrap_or_default()
    }

    fn take_operation(&mut self, id: ContextId, slot: u32) -> Option<Operation> {
        let context = self.context_mut(id)?;
        let operation = context.in_flight.remove(&slot)?;
        if let Some(deadline) = operation.deadline {
            context.deadlines.remove(deadline);
        }
        self.held_bytes -= operation.held_bytes;
        if operation.origin.opcode == Opcode::Accept as u32 {
            self.accept = Accept::Ended;
        }
        Some(operation)
    }

    /// Queues an operation's final completion.
    fn complete(&mut self, id: ContextId, origin: Origin, result: Result<Outcome, Failure>) {
        let mut completion = Completion::new(origin, Status::Ok);
        let mut unhandled = None;
        match result {
            Ok(Outcome { auxiliary, payload, response }) => {
                completion.auxiliary = auxiliary;
                completion.payload = payload;
                if let Some(response) = response {
                    completion.resource = self.add_resource(id, Resource::Body(Fetched(Some(Box::new(response)))));
                }
            }
            Err(Failure { status, message }) => {
                let message: String = message.chars().take(MESSAGE_MAX).collect();
                completion.status = status;
                completion.payload = Bytes::copy_from_slice(message.as_bytes());
                unhandled = Some((status, message));
            }
        }
        if let Some(context) = self.context_mut(id) {
            context.pending.push_back(completion);
        }
        if let Some((status, message)) = unhandled {
            self.report_unhandled(id, origin, status, &message);
        }
    }

    /// Tells the host's owner of a failure that no handler waits for.
    fn report_unhandled(&self, id: ContextId, origin: Origin, status: Status, message: &str) {
        if !origin.detached {
            return;
        }
        self.host.report(&Report {
            operation: Some(name_of(origin.opcode)),
            token: Some(origin.token()),
            status: Some(status as i32),
            request: Some(self.title(id)),
            ..Report::new(ReportKind::Unhandled, message)
        });
    }

    // Resources.

    /// A number for a resource that the guest holds from now on.
    fn take_resource_number(&mut self) -> u32 {
        self.resources += 1;
        self.last_resource += 1;
        self.last_resource
    }

    fn add_resource(&mut self, id: ContextId, resource: Resource) -> u32 {
        let number = self.take_resource_number();
        if let Some(context) = self.context_mut(id) {
            context.resources.insert(number, resource);
        }
        number
    }

    /// A resource of this context or of its instance. Another context's is not found.
    pub fn resource(&self, id: ContextId, number: u32) -> Option<&Resource> {
        let own = self.context(id).and_then(|context| context.resources.get(&number));
        own.or_else(|| self.own.resources.get(&number))
    }

    fn resource_mut(&mut self, id: ContextId, number: u32) -> Option<&mut Resource> {
        self.context_mut(id)?.resources.get_mut(&number)
    }

    /// Gives a resource of this context back, if there is one, and cancels what is in flight on it.
    pub fn close_resource(&mut self, id: ContextId, number: u32) {
        if !self.context(id).is_some_and(|context| context.resources.contains_key(&number)) {
            return;
        }
        for slot in self.slots(id, |operation| operation.target == number) {
            self.end(id, slot, Status::Cancelled, "its resource was closed");
        }
        if self.context_mut(id).and_then(|context| context.resources.remove(&number)).is_some() {
            self.resources -= 1;
        }
    }

    /// Again if the guest holds as many resources as it may.
    pub fn check_resources(&self) -> Result<(), Failure> {
        if self.resources < self.host.limits.resources {
            return Ok(());
        }
        Err(Failure::new(Status::Again, "too many resources are held: close some"))
    }

    /// Whether the resource's body can be sent instead of the submission's own bytes; 0 is none, and always right.
    pub fn check_source(&self, id: ContextId, submission: &Submission<'_>, number: u32) -> Result<(), Failure> {
        match self.resource(id, number) {
            _ if number == 0 => Ok(()),
            Some(Resource::Exchange(_) | Resource::Body(_)) if submission.data().is_empty() => Ok(()),
            Some(Resource::Exchange(_) | Resource::Body(_)) => {
                Err(Failure::invalid("give bytes or a resource, not both"))
            }
            _ => Err(Failure::bad_resource(number, "exchange or body")),
        }
    }

    /// The body of a request or a response, which can be had once.
    pub fn take_body(&mut self, id: ContextId, number: u32) -> Result<Body, Failure> {
        let body = match self.resource_mut(id, number) {
            Some(Resource::Exchange(exchange)) => exchange.body.take(),
            Some(Resource::Body(fetched)) => fetched.0.take().map(|response| response.into_body()),
            _ => return Err(Failure::bad_resource(number, "exchange or body")),
        };
        body.ok_or_else(taken)
    }

    /// The whole response whose body is this resource.
    pub fn take_response(&mut self, id: ContextId, number: u32) -> Result<Response<Body>, Failure> {
        match self.resource_mut(id, number) {
            Some(Resource::Body(fetched)) => fetched.0.take().map(|response| *response).ok_or_else(taken),
            _ => Err(Failure::bad_resource(number, "body")),
        }
    }

    /// Answers an exchange of this context.
    pub fn answer(&mut self, id: ContextId, number: u32, response: Response<Body>) {
        if let Some(Resource::Exchange(exchange)) = self.resource_mut(id, number) {
            exchange.answered = true;
        }
        if let Some(context) = self.context_mut(id) {
            context.answered = true;
            context.response = Some(response);
        }
    }

    /// Bytes of a body that the guest gets at most: as many as it asks for, 0 for all, if the host has no lower limit.
    pub fn body_bytes_max(&self, asked: u32) -> u32 {
        let max = self.host.limits.body_bytes;
        if asked == 0 { max } else { asked.min(max) }
    }

    pub fn connections(&mut self, id: ContextId) -> Connections {
        let max = self.host.limits.connections;
        let new = || Connections::new(max);
        match self.context_mut(id) {
            Some(context) => context.connections.get_or_insert_with(new).clone(),
            None => new(),
        }
    }

    // submit

    pub fn submit(&mut self, memory: &[u8], at: u32, count: u32) -> i32 {
        let Some(id) = self.current else { return Status::Invalid as i32 };
        if count > SUBMIT_COUNT_MAX {
            return Status::TooBig as i32;
        }
        if !at.is_multiple_of(4) || view(memory, at, count * SUBMISSION_BYTES).is_none() {
            return Status::Fault as i32;
        }
        for index in 0..count {
            let submission = Submission::read(memory, (at + index * SUBMISSION_BYTES) as usize);
            if !self.admit(&submission, id) {
                self.refuse(&submission, id);
                return index as i32;
            }
        }
        count as i32
    }

    /// Where no handler waits, the guest cannot tell anybody. A cancel or a wake that comes too late is no loss.
    fn refuse(&mut self, submission: &Submission<'_>, id: ContextId) {
        self.host.counts.refused.increment();
        let processor = processor(submission.opcode);
        let is_no_loss = submission.opcode == Opcode::Cancel as u32 || submission.opcode == Opcode::Wake as u32;
        let tells = processor.is_some_and(|processor| processor.tells);
        if is_no_loss || (tells && self.decode(submission, id, processor).is_ok()) {
            return;
        }
        self.report_unhandled(id, Origin::of(submission), Status::Again, "the host is at its limit");
    }

    /// Takes one submission and starts its work. False if the host is full; then nothing has changed.
    fn admit(&mut self, submission: &Submission<'_>, current: ContextId) -> bool {
        let processor = processor(submission.opcode);
        let is_full = self.is_full(submission);
        if is_full && !self.is_relieved_by(submission, current, processor) {
            return false;
        }
        let of_instance = processor.is_some_and(|processor| processor.of_instance);
        let id = if of_instance { ContextId::INSTANCE } else { current };
        let work = self.decode(submission, id, processor);
        // What fails makes no room.
        if is_full && work.is_err() {
            return false;
        }
        self.admitted += 1;
        self.host.counts.in_flight.increment();
        self.start(work, submission, id);
        true
    }

    fn is_full(&self, submission: &Submission<'_>) -> bool {
        let limits = &self.host.limits;
        let bytes = submission.argument_bytes();
        let bytes_max = u64::from(limits.argument_bytes);
        // What could never be held fails instead of being refused for ever.
        self.admitted >= limits.in_flight || (bytes <= bytes_max && self.held_bytes + bytes > bytes_max)
    }

    fn is_relieved_by(&self, submission: &Submission<'_>, id: ContextId, processor: Option<&Processor>) -> bool {
        let relieves = processor.and_then(|processor| processor.relieves);
        relieves.is_some_and(|relieves| relieves(submission, self, id))
    }

    /// Reads and checks the arguments. Has changed nothing if it fails.
    fn decode(
        &mut self,
        submission: &Submission<'_>,
        id: ContextId,
        processor: Option<&Processor>,
    ) -> Result<Work, Failure> {
        submission.check(DETACHED | processor.map_or(0, |processor| processor.flags))?;
        self.check(submission, id)?;
        let processor =
            processor.ok_or_else(|| Failure::new(Status::NotSupported, "this host has no such operation"))?;
        // What ends something is still welcome, and what tells of a failure.
        if self.host.shutdown().is_some() && processor.relieves.is_none() && !processor.tells {
            return Err(Failure::new(Status::ShutDown, SHUT_DOWN));
        }
        (processor.decode)(submission, self, id)
    }

    /// Says what is wrong with the submission in this place.
    fn check(&self, submission: &Submission<'_>, id: ContextId) -> Result<(), Failure> {
        if submission.argument_bytes() > self.host.limits.argument_bytes.into() {
            return Err(Failure::new(Status::TooBig, "the arguments are over the limit"));
        }
        if self.context(id).is_some_and(|context| context.in_flight.contains_key(&submission.slot)) {
            return Err(Failure::invalid("the slot is in flight already"));
        }
        if self.current == Some(ContextId::INSTANCE) && submission.opcode != Opcode::Accept as u32 {
            return Err(Failure::new(Status::NotPermitted, "only accept can be submitted while the module starts"));
        }
        Ok(())
    }

    fn start(&mut self, work: Result<Work, Failure>, submission: &Submission<'_>, id: ContextId) {
        let origin = Origin::of(submission);
        let deadline = (submission.deadline_ms != 0).then(|| Duration::from_millis(submission.deadline_ms.into()));
        let mut operation = Operation {
            origin,
            serial: self.serial,
            target: submission.resource,
            held_bytes: submission.argument_bytes(),
            abort: None,
            deadline: None,
        };
        self.serial += 1;
        match work {
            Err(failure) => return self.complete(id, origin, Err(failure)),
            Ok(Work::Done(outcome)) => return self.complete(id, origin, Ok(outcome)),
            Ok(Work::After(time)) => match deadline.filter(|deadline| *deadline < time) {
                Some(deadline) => {
                    self.set_deadline(id, &mut operation, deadline, Expiry::TimeOut { slot: origin.slot })
                }
                None => self.set_deadline(id, &mut operation, time, Expiry::Succeed { slot: origin.slot }),
            },
            Ok(Work::Held(longest)) => {
                if let Some(time) = deadline.into_iter().chain(longest).min() {
                    self.set_deadline(id, &mut operation, time, Expiry::TimeOut { slot: origin.slot });
                }
            }
            Ok(Work::Later { abort, mut future }) => {
                // Its first step is now: the host starts work inside `submit`. The request's task goes on with it.
                if let Poll::Ready(result) = future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
                    return self.complete(id, origin, result);
                }
                operation.abort = Some(abort);
                let working = Working { slot: origin.slot, serial: operation.serial, future };
                if let Some(context) = self.context_mut(id) {
                    context.started.push(working);
                }
                if let Some(time) = deadline {
                    self.set_deadline(id, &mut operation, time, Expiry::TimeOut { slot: origin.slot });
                }
            }
        }
        self.held_bytes += operation.held_bytes;
        if let Some(context) = self.context_mut(id) {
            context.in_flight.insert(origin.slot, operation);
        }
    }

    fn set_deadline(&mut self, id: ContextId, operation: &mut Operation, time: Duration, expiry: Expiry) {
        let due = self.host.platform.clock.now() + time;
        operation.deadline = self.context_mut(id).map(|context| context.deadlines.add(due, expiry));
    }

    // poll

    pub fn poll(&mut self, memory: &mut [u8], at: u32, capacity: u32, arena: u32, arena_bytes: u32) -> i32 {
        let Some(id) = self.current else { return Status::Invalid as i32 };
        let due = u32::try_from(self.due(id)).unwrap_or(u32::MAX);
        let records = capacity.min(due).min(self.left);
        let Some(record_bytes) = records.checked_mul(COMPLETION_BYTES) else { return Status::Fault as i32 };
        if !at.is_multiple_of(4)
            || view(memory, at, record_bytes).is_none()
            || view(memory, arena, arena_bytes).is_none()
        {
            return Status::Fault as i32;
        }
        // The last batch still tells whose handler ran last.
        if records == 0 {
            return 0;
        }
        self.queue.begin(at, arena, arena_bytes);
        while self.queue.len() < records {
            let Some(mut completion) = self.take_pending(id) else { break };
            if self.queue.has_room_for(&completion) {
                self.delivered(&completion);
                self.queue.push(memory, completion);
            } else if self.queue.len() > 0 {
                self.put_back(id, completion);
                break; // The next poll begins with an empty arena.
            } else if !completion.demanded {
                completion.demanded = true;
                self.left -= 1;
                let bytes = completion.payload.len();
                self.put_back(id, completion);
                return self.queue.demand(memory, bytes) as i32;
            } else {
                // The guest was told, and polls without room for it all the same.
                let completion = self.too_big(id, completion);
                self.put_back(id, completion);
            }
        }
        self.queue.len() as i32
    }

    fn take_pending(&mut self, id: ContextId) -> Option<Completion> {
        self.own.pending.pop_front().or_else(|| self.contexts.get_mut(&id)?.pending.pop_front())
    }

    /// Only what has a payload is put back, and nothing of the instance's own that is pending has room to miss.
    fn put_back(&mut self, id: ContextId, completion: Completion) {
        let is_own = completion.origin.opcode == Opcode::Accept as u32 && completion.flags & MORE == 0;
        let id = if is_own { ContextId::INSTANCE } else { id };
        if let Some(context) = self.context_mut(id) {
            context.pending.push_front(completion);
        }
    }

    fn too_big(&mut self, id: ContextId, completion: Completion) -> Completion {
        self.close_resource(id, completion.resource);
        // A request's head is no operation of its own, and one that had failed was reported then.
        if completion.status == Status::Ok && completion.flags & MORE == 0 {
            let message = "the payload does not fit into the guest's arena";
            self.report_unhandled(id, completion.origin, Status::TooBig, message);
        }
        Completion { flags: completion.flags, ..Completion::new(completion.origin, Status::TooBig) }
    }

    fn delivered(&mut self, completion: &Completion) {
        self.left -= 1;
        if completion.flags & MORE != 0 {
            return;
        }
        let counts = &self.host.counts;
        self.admitted -= 1;
        counts.in_flight.decrement();
        let is_reclaimed = completion.flags & RECLAIM != 0;
        if is_reclaimed { &counts.reclaimed } else { &counts.completed }.increment();
    }

    // open and abort

    pub fn open(&mut self, memory: &[u8], at: u32, length: u32) -> i32 {
        let Some(id) = self.current else { return Status::Invalid as i32 };
        if length > RESOURCE_NAME_BYTES_MAX {
            return Status::TooBig as i32;
        }
        let Some(name) = view(memory, at, length) else { return Status::Fault as i32 };
        let opened = text(name).and_then(|name| self.open_grant(id, name));
        opened.unwrap_or_else(|failure| failure.status as i32)
    }

    /// The grant belongs to whoever opens it: a request, or the instance while the module starts.
    fn open_grant(&mut self, id: ContextId, name: &str) -> Result<i32, Failure> {
        let grants = &self.host.grants;
        let Some(grant) = grants.get(name) else {
            let names: Vec<_> = grants.keys().map(String::as_str).collect();
            let granted = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            let message = format!("the module asked for \"{name}\"; granted are: {granted}");
            self.host.report(&Report::new(ReportKind::Open, message));
            return Err(Failure::new(Status::NotFound, "there is nothing under this name"));
        };
        let resource = match grant {
            Grant::Kv(grant) => Resource::Kv(grant.clone()),
            Grant::Origin(grant) => Resource::Origin(grant.clone()),
        };
        self.check_resources()?;
        Ok(self.add_resource(id, resource) as i32)
    }

    /// What `abort` says, whatever the guest points at: a trap is reported even if its report is wrong.
    pub fn abort(memory: &[u8], message: (u32, u32), file: (u32, u32), line: u32, column: u32) -> GuestAbort {
        let text = |(at, length): (u32, u32)| {
            let bytes = view(memory, at, length.min(ABORT_TEXT_BYTES_MAX)).unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        GuestAbort { message: text(message), file: text(file), line, column }
    }

    /// What the host does when it is told to stop at once.
    pub fn is_last_turn(&self) -> bool {
        self.host.shutdown() == Some(Shutdown::Now)
    }
}

impl Drop for Instance {
    /// However it goes, it is counted out.
    fn drop(&mut self) {
        self.retire();
    }
}

fn taken() -> Failure {
    Failure::new(Status::Closed, "this body was read or sent before")
}
