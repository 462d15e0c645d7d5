//! Proactor: instances of one module, and which of them serves which request.
//!
//! `isolation` decides how far a trap reaches. `Request`: a new instance for each request. `Pooled`: one request at a
//! time in each instance, which is reused after a clean end. `Shared`: many requests at once in one instance; an abort
//! of the guest costs one of them, anything worse costs them all, and a new instance takes over.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll};

use http::{HeaderMap, Method, Response, header};
use tokio::sync::{Notify, OwnedMutexGuard};

use crate::abi::Status;
use crate::context::{Context, ContextId, Signal};
use crate::engine::{Engine, Guest, Trap};
use crate::host::{Host, Shutdown};
use crate::report::{ContextFailure, Report, ReportKind, SHUT_DOWN, place};
use crate::request::Request;
use crate::transport::remove_hop_headers;
use crate::url::url_of;
use crate::{Body, BoxError, Counters, Error, Isolation, Options};

/// An instance, run by one task at a time: whoever has the lock. It is never held while anybody waits.
pub(crate) type Cell = tokio::sync::Mutex<Guest>;

/// Serves requests by a guest. Cheap to clone: all clones are one.
#[derive(Clone)]
pub struct Proactor {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub host: Arc<Host>,
    engine: Engine,
    idle: Mutex<Idle>,
    /// The one that serves all requests, if isolation is `Shared`.
    shared: tokio::sync::Mutex<Option<Arc<Cell>>>,
    requests: Mutex<Requests>,
    /// Told when the last request has ended.
    emptied: Notify,
}

/// Instances that a request may have for itself.
#[derive(Default)]
struct Idle {
    cells: Vec<(Arc<Cell>, usize)>,
    /// What they weigh: memory never shrinks.
    bytes: usize,
}

impl Idle {
    fn push(&mut self, cell: Arc<Cell>, bytes: usize) {
        self.bytes += bytes;
        self.cells.push((cell, bytes));
    }

    fn pop(&mut self) -> Option<Arc<Cell>> {
        let (cell, bytes) = self.cells.pop()?;
        self.bytes -= bytes;
        Some(cell)
    }
}

/// How a request under way is reached: by its instance, and by its task.
type Reach = (Arc<Cell>, Arc<Signal>);

/// Requests that have not ended, in the order in which they came.
#[derive(Default)]
struct Requests {
    last: u64,
    /// None while one still waits for its instance.
    all: BTreeMap<ContextId, Option<Reach>>,
}

/// A request that a shutdown waits for, until this is dropped.
pub(crate) struct Visit {
    inner: Arc<Inner>,
    pub id: ContextId,
}

impl Visit {
    /// Takes note of a request, unless no more may come: a shutdown has either seen it, or it sees the shutdown.
    fn begin(inner: &Arc<Inner>) -> Option<Self> {
        let mut requests = lock(&inner.requests);
        if inner.host.shutdown().is_some() {
            return None;
        }
        requests.last += 1;
        let id = ContextId(requests.last);
        requests.all.insert(id, None);
        inner.host.counts.contexts.increment();
        Some(Self { inner: inner.clone(), id })
    }

    /// Lets a shutdown find the request's instance. False if one has begun and has looked already.
    fn attach(&self, cell: &Arc<Cell>, signal: &Arc<Signal>) -> bool {
        let mut requests = lock(&self.inner.requests);
        requests.all.insert(self.id, Some((cell.clone(), signal.clone())));
        self.inner.host.shutdown().is_none()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut requests = lock(&self.inner.requests);
        requests.all.remove(&self.id);
        self.inner.host.counts.contexts.decrement();
        if requests.all.is_empty() {
            self.inner.emptied.notify_waiters();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proactor {
    /// Compiles a module and makes sure that it starts.
    pub fn new(wasm: impl AsRef<[u8]>, options: Options) -> Result<Self, Error> {
        let limits = options.limits.checked()?;
        let engine = Engine::new(wasm.as_ref(), limits.run_ms)?;
        let Options { resources, isolation, platform, on_error, .. } = options;
        let host = Arc::new(Host::new(limits, isolation, platform, resources.grants, on_error));
        let guest = Guest::instantiate(&engine, &host).map_err(start_error)?;
        let bytes = guest.instance().memory_bytes;
        let cell = Arc::new(Cell::new(guest));
        let mut idle = Idle::default();
        let mut shared = None;
        match isolation {
            Isolation::Shared => shared = Some(cell),
            Isolation::Pooled | Isolation::Request => idle.push(cell, bytes),
        }
        let inner = Inner {
            host,
            engine,
            idle: Mutex::new(idle),
            shared: tokio::sync::Mutex::new(shared),
            requests: Mutex::default(),
            emptied: Notify::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Answers one request by the guest. What goes wrong is a response with status 500, and a report.
    ///
    /// Dropping the future before it is ready ends the request: its work is aborted.
    pub async fn fetch<B: Into<Body>>(&self, request: http::Request<B>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let url = url_of(&head.uri, &head.headers);
        match self.inner.begin(head.method, url, &head.headers, body.into()).await {
            Ok(mut request) => {
                let answer = request.answer().await;
                request.finish_later();
                answer
            }
            Err(failure) => failure.response(),
        }
    }

    /// Ends the proactor: requests that come from now on are answered with 503, and operations that are submitted from
    /// now on complete as ShutDown. Resolves when no request and no instance is left. A graceful shutdown can be cut
    /// short by a second call.
    pub async fn shutdown(&self, mode: Shutdown) {
        let inner = &self.inner;
        inner.host.set_shutdown(mode);
        while let Some(cell) = { lock(&inner.idle).pop() } {
            cell.lock().await.instance_mut().retire();
        }
        if let Some(cell) = inner.shared.lock().await.take() {
            // One in use goes with its last request.
            let mut guest = cell.lock().await;
            guest.instance_mut().replaced = true;
            if guest.instance().requests == 0 {
                guest.instance_mut().retire();
            }
        }
        let requests: Vec<_> = lock(&inner.requests).all.values().flatten().cloned().collect();
        for (cell, signal) in requests {
            cell.lock().await.instance_mut().end_accept(Status::ShutDown, SHUT_DOWN);
            signal.call();
        }
        loop {
            let mut emptied = std::pin::pin!(inner.emptied.notified());
            emptied.as_mut().enable();
            if lock(&inner.requests).all.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    /// How many of each there have been, or are now.
    pub fn counters(&self) -> Counters {
        self.inner.host.counts.read()
    }
}

impl Inner {
    async fn begin(
        self: &Arc<Self>,
        method: Method,
        url: String,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Request, ContextFailure> {
        let visit = Visit::begin(self).ok_or(ContextFailure::ShutDown)?;
        let context = Box::new(Context { method, url, ..Context::default() });
        let (cell, mut guest) = self.check_out().await.map_err(|trap| self.cannot_start(trap))?;
        if !visit.attach(&cell, &context.signal) {
            // Nobody comes for it any more, unless it is shared and has others.
            if guest.instance().requests == 0 {
                guest.instance_mut().retire();
            }
            return Err(ContextFailure::ShutDown);
        }
        let mut request = Request::begin(visit, self.clone(), cell, &mut guest, context, body, headers);
        let fate = request.take_stock(&mut guest);
        drop(guest);
        request.conclude(fate);
        Ok(request)
    }

    fn cannot_start(&self, trap: Trap) -> ContextFailure {
        self.host.report(&Report::new(ReportKind::Unexpected, start_error(trap).to_string()));
        ContextFailure::Unexpected
    }

    /// Keeps an instance for the next request, if there is room.
    pub fn keep(&self, cell: &Arc<Cell>, bytes: usize) {
        let mut idle = lock(&self.idle);
        // Asked under the lock: a shutdown takes what is there after it has said that it has begun.
        let is_welcome = self.host.shutdown().is_none();
        if is_welcome && idle.bytes + bytes <= self.host.limits.idle_bytes as usize {
            return idle.push(cell.clone(), bytes);
        }
        drop(idle);
        if let Ok(mut guest) = cell.try_lock() {
            guest.instance_mut().retire();
        }
    }

    fn instantiate(&self) -> Result<Arc<Cell>, Trap> {
        Ok(Arc::new(Cell::new(Guest::instantiate(&self.engine, &self.host)?)))
    }

    /// An instance for a request, locked.
    async fn check_out(&self) -> Result<(Arc<Cell>, OwnedMutexGuard<Guest>), Trap> {
        if self.host.isolation == Isolation::Shared {
            return self.check_out_shared().await;
        }
        let idle = lock(&self.idle).pop();
        let cell = match idle {
            Some(cell) => cell,
            None => self.instantiate()?,
        };
        let guest = cell.clone().lock_owned().await;
        Ok((cell, guest))
    }

    async fn check_out_shared(&self) -> Result<(Arc<Cell>, OwnedMutexGuard<Guest>), Trap> {
        let mut shared = self.shared.lock().await;
        if let Some(cell) = &*shared {
            let mut guest = cell.clone().lock_owned().await;
            let instance = guest.instance_mut();
            if !instance.retired && !instance.is_worn_out() {
                return Ok((cell.clone(), guest));
            }
            // It goes with its last request.
            instance.replaced = true;
            if instance.requests == 0 {
                instance.retire();
            }
        }
        *shared = None;
        let cell = self.instantiate()?;
        // After a shutdown has looked for it, nobody else would end it.
        if self.host.shutdown().is_none() {
            *shared = Some(cell.clone());
        }
        let guest = cell.clone().lock_owned().await;
        Ok((cell, guest))
    }
}

/// Says where the module trapped while it started.
fn start_error(trap: Trap) -> Error {
    Error::Start(match trap {
        Trap::Abort(abort) => {
            let place = place(Some(&abort.file), Some(abort.line), Some(abort.column));
            format!("{}{place}", abort.message)
        }
        Trap::Other(message) => message,
    })
}

/// A proactor is a service, so that it can be mounted wherever services are: in axum, behind tower's layers.
impl<B> tower_service::Service<http::Request<B>> for Proactor
where
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let proactor = self.clone();
        Box::pin(async move {
            let is_head = request.method() == Method::HEAD;
            let response = proactor.fetch(request.map(Body::new)).await;
            Ok(sendable(response, is_head))
        })
    }
}

/// Leaves to the server how the body is framed: a guest that got it wrong would break the connection.
fn sendable(mut response: Response<Body>, is_head: bool) -> Response<Body> {
    remove_hop_headers(response.headers_mut());
    if !is_head {
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}
