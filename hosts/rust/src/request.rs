//! Request: the task of one incoming request, from its accept to its response and the end of what it started.
//!
//! It is a future that its caller drives: it polls the request's own work, and when some of that has settled, locks the
//! instance and runs a turn. So a turn runs on the stack of the request that it is for, without another task to wake,
//! and dropping the future ends the request. What goes on after the response becomes a task of its own.
//!
//! It is quiet when nothing is in flight and nothing is pending. Quiet after the response is the end; quiet before it
//! would be a request that never ends, and is answered 500 at once.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use http::{HeaderMap, Response};
use tokio::sync::OwnedMutexGuard;

use crate::abi::{Opcode, Status};
use crate::context::{Context, ContextId, Signal};
use crate::engine::{Guest, Trap};
use crate::operation::{Settled, Working};
use crate::platform::BoxFuture;
use crate::proactor::{Cell, Inner, Visit};
use crate::report::{ContextFailure, Report, ReportKind};
use crate::{Body, Isolation};

pub(crate) struct Request {
    /// Until its context has ended and the instance is another's.
    visit: Option<Visit>,
    proactor: Arc<Inner>,
    cell: Arc<Cell>,
    id: ContextId,
    signal: Arc<Signal>,
    /// The work of operations in flight, and of some that have ended and that does not know so. Many a request has none.
    work: Option<FuturesUnordered<Working>>,
    /// Until the earliest deadline, or an earlier one that was taken back.
    sleep: Option<(Duration, BoxFuture<()>)>,
    /// Whether it lets others go first, and has more to do.
    yields: bool,
    answer: Option<Response<Body>>,
}

/// What has happened since the last turn.
#[derive(Default)]
struct News {
    settled: Vec<Settled>,
    /// The time for which the timer was set, if it has fired.
    fired: Option<Duration>,
    called: bool,
}

/// What becomes of an instance whose request is over.
pub(crate) enum Fate {
    /// Another request may have it. It weighs so many bytes.
    Reuse(usize),
    /// It is retired, or others still use it.
    Leave,
}

impl Request {
    /// Delivers the request as a completion of the instance's accept, and runs its first turn.
    pub fn begin(
        visit: Visit,
        proactor: Arc<Inner>,
        cell: Arc<Cell>,
        guest: &mut Guest,
        context: Box<Context>,
        body: Body,
        headers: &HeaderMap,
    ) -> Self {
        let (id, signal, visit) = (visit.id, context.signal.clone(), Some(visit));
        let mut request =
            Self { visit, proactor, cell, id, signal, work: None, sleep: None, yields: false, answer: None };
        if guest.instance_mut().add_request(id, context, body, headers) {
            request.turn(guest);
        } else {
            request.give_up(guest, "The module accepts no requests: call serve() while it starts.".to_owned(), None);
        }
        request
    }

    /// Looks what the turn has left for this task. The instance is free for others once `guest` is.
    pub fn take_stock(&mut self, guest: &mut Guest) -> Option<Fate> {
        let instance = guest.instance_mut();
        let context = instance.context_mut(self.id)?;
        if !context.started.is_empty() {
            self.work.get_or_insert_default().extend(context.started.drain(..));
        }
        self.set_timer(context.deadlines.earliest());
        let failure = context.failure.take();
        let failed = || failure.map(|failure| failure.response());
        if let Some(response) = context.response.take().or_else(failed) {
            self.answer.get_or_insert(response);
        }
        if !context.ended {
            return None;
        }
        instance.remove_context(self.id);
        if self.proactor.host.isolation == Isolation::Shared {
            return Some(Fate::Leave);
        }
        if self.proactor.host.isolation == Isolation::Pooled && instance.is_clean() {
            return Some(Fate::Reuse(instance.memory_bytes));
        }
        instance.retire();
        Some(Fate::Leave)
    }

    fn set_timer(&mut self, earliest: Option<Duration>) {
        let armed = self.sleep.as_ref().map(|(due, _)| *due);
        self.sleep = match earliest {
            None => None,
            // One that fires for nothing is cheaper than another one now.
            Some(due) if armed.is_some_and(|armed| armed <= due) => self.sleep.take(),
            Some(due) => Some((due, self.proactor.host.platform.clock.sleep_until(due))),
        };
    }

    /// Hands the instance on. What still runs was aborted: it is seen to its end, and what it brings is thrown away.
    pub fn conclude(&mut self, fate: Option<Fate>) {
        let Some(fate) = fate else { return };
        self.sleep = None;
        if let Fate::Reuse(bytes) = fate {
            self.proactor.keep(&self.cell, bytes);
        }
        self.visit = None;
        let Some(mut work) = self.work.take().filter(|work| !work.is_empty()) else { return };
        let host = self.proactor.host.clone();
        (self.proactor.host.platform.spawn)(Box::pin(async move {
            while work.next().await.is_some() {
                host.counts.late.increment();
            }
        }));
    }

    /// The guest's answer, or why there is none.
    pub async fn answer(&mut self) -> Response<Body> {
        loop {
            match self.answer.take() {
                Some(answer) => return answer,
                None => self.progress().await,
            }
        }
    }

    /// Goes on after the answer, if there is anything left to do.
    pub fn finish_later(mut self) {
        if self.visit.is_none() {
            return;
        }
        let spawn = self.proactor.host.platform.spawn.clone();
        spawn(Box::pin(async move {
            while self.visit.is_some() {
                self.progress().await;
            }
        }));
    }

    /// Waits until something has happened, and runs a turn if there is anything to deliver.
    async fn progress(&mut self) {
        let news = poll_fn(|context| self.poll_news(context)).await;
        let cell = self.cell.clone();
        let mut guest = cell.lock().await;
        self.hear(&mut guest, news);
        let fate = self.take_stock(&mut guest);
        drop(guest);
        self.conclude(fate);
    }

    fn poll_news(&mut self, context: &mut task::Context<'_>) -> Poll<News> {
        let called = self.signal.was_called(context.waker());
        if std::mem::replace(&mut self.yields, false) {
            // Once round the executor's queue.
            self.signal.call();
            return Poll::Pending;
        }
        let mut news = News { called, ..News::default() };
        if let Some(work) = &mut self.work {
            while let Poll::Ready(Some(settled)) = work.poll_next_unpin(context) {
                news.settled.push(settled);
            }
        }
        if let Some((due, sleep)) = &mut self.sleep
            && Pin::new(sleep).poll(context).is_ready()
        {
            news.fired = Some(*due);
            self.sleep = None;
        }
        let has_news = news.called || news.fired.is_some() || !news.settled.is_empty();
        if has_news { Poll::Ready(news) } else { Poll::Pending }
    }

    fn hear(&mut self, guest: &mut Guest, news: News) {
        let (id, clock) = (self.id, &self.proactor.host.platform.clock);
        let instance = guest.instance_mut();
        for settled in news.settled {
            instance.settle(id, settled);
        }
        if let Some(due) = news.fired {
            // The timer's own word counts too: clocks may stand still between events.
            instance.expire(id, clock.now().max(due));
        }
        let Some(context) = instance.context(id).filter(|context| !context.ended) else { return };
        let must_look = news.called && (instance.owes_turn() || instance.is_last_turn());
        if !context.pending.is_empty() || must_look {
            self.turn(guest);
        }
    }

    // Turns.

    fn turn(&mut self, guest: &mut Guest) {
        let id = self.id;
        let is_last = guest.instance().is_last_turn();
        if is_last {
            guest.instance_mut().end_all(id);
        }
        if let Err(trap) = guest.run(id) {
            return self.trapped(guest, trap);
        }
        let instance = guest.instance_mut();
        if is_last {
            instance.end_context(id, Some(ContextFailure::ShutDown));
        } else if instance.due(id) > 0 {
            self.yields = true;
        } else if instance.context(id).is_some_and(|context| context.in_flight.is_empty()) {
            self.fall_silent(guest);
        }
    }

    fn fall_silent(&mut self, guest: &mut Guest) {
        let instance = guest.instance_mut();
        if instance.context(self.id).is_some_and(|context| context.answered) {
            return instance.end_context(self.id, None);
        }
        if instance.host.shutdown().is_some() {
            return instance.end_context(self.id, Some(ContextFailure::ShutDown));
        }
        let Some(last) = instance.queue.last() else {
            // In a shared instance, others may have taken what this turn was for, and their own last poll nothing.
            return self.give_up(guest, "No handler ran.".to_owned(), None);
        };
        let mut report = Report::new(ReportKind::Unanswered, "");
        report.operation = Some(last.name());
        report.token = Some(last.origin.token());
        if last.origin.opcode == Opcode::Respond as u32 && last.status != Status::Ok {
            let detail = "The answer was refused, and no other came.".to_owned();
            report.message = format!("{detail} {}", last.message());
            return self.give_up(guest, detail, Some(report));
        }
        let what = format!("The handler of {} ran last and started nothing", last.name());
        let detail = format!("{what}: answer with exchange.respond() on every path.");
        report.message.clone_from(&detail);
        self.give_up(guest, detail, Some(report));
    }

    /// Answers at once what would never be answered. Why is for the owner alone: it may quote what the guest sent.
    fn give_up(&mut self, guest: &mut Guest, detail: String, report: Option<Report>) {
        let instance = guest.instance_mut();
        let report = report.unwrap_or_else(|| Report::new(ReportKind::Unanswered, detail.clone()));
        instance.host.report(&Report { request: Some(instance.title(self.id)), ..report });
        instance.end_context(self.id, Some(ContextFailure::Unanswered(detail)));
    }

    fn trapped(&mut self, guest: &mut Guest, trap: Trap) {
        let host = self.proactor.host.clone();
        host.counts.traps.increment();
        let mut report = Report::new(ReportKind::Trap, "");
        if let Some(running) = guest.running() {
            report.operation = Some(running.name());
            report.token = Some(running.origin.token());
        }
        let instance = guest.instance_mut();
        instance.traps += 1;
        report.request = Some(instance.title(self.id));
        let is_abort = matches!(trap, Trap::Abort(_));
        match trap {
            Trap::Abort(abort) => {
                report.message = abort.message;
                report.file = Some(abort.file);
                report.line = Some(abort.line);
                report.column = Some(abort.column);
            }
            Trap::Other(message) => report.message = message,
        }
        host.report(&report);
        let is_shared = host.isolation == Isolation::Shared;
        // The guest itself said so, and can go on with other requests.
        let is_contained = is_shared && is_abort && instance.traps < host.limits.traps;
        if !is_contained {
            instance.retire();
        }
        instance.end_context(self.id, Some(ContextFailure::Trap));
        if is_shared && !is_contained {
            instance.condemn();
        }
    }

    /// The client has gone away: what is not answered yet is over.
    fn kill(&mut self, guest: &mut Guest) -> Option<Fate> {
        if guest.instance().context(self.id).is_some_and(|context| !context.ended) {
            self.proactor.host.counts.killed.increment();
            guest.instance_mut().end_context(self.id, None);
        }
        self.take_stock(guest)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let Some(visit) = self.visit.take() else { return };
        let mut rest = Self {
            visit: None,
            proactor: self.proactor.clone(),
            cell: self.cell.clone(),
            id: self.id,
            signal: self.signal.clone(),
            work: self.work.take(),
            sleep: None,
            yields: false,
            answer: None,
        };
        let end = move |mut guest: OwnedMutexGuard<Guest>| {
            let fate = rest.kill(&mut guest);
            drop(guest);
            rest.conclude(fate);
            drop(visit);
        };
        match self.cell.clone().try_lock_owned() {
            Ok(guest) => end(guest),
            Err(_) => {
                // Another request of a shared instance has its turn.
                let cell = self.cell.clone();
                (self.proactor.host.platform.spawn)(Box::pin(async move { end(cell.lock_owned().await) }));
            }
        }
    }
}
