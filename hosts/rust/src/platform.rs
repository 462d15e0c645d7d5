//! Platform: what the library asks of the world besides stores and networks: time, randomness, a console, tasks.
//!
//! Each has a default that suits a server. A test puts its own in their place, and then a run of the same requests is
//! the same run, to the byte.

use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::Handle;

/// A future that may go from thread to thread.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Time, as the guest and all deadlines see it.
pub trait Clock: Send + Sync {
    /// Time since 1970.
    fn now(&self) -> Duration;
    /// Resolves no earlier than `due`, counted as `now` counts.
    fn sleep_until(&self, due: Duration) -> BoxFuture<()>;
}

/// The machine's clock. It goes on steadily from what it showed at the start, whatever anybody sets it to.
pub struct SystemClock {
    epoch: Duration,
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        let epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { epoch, start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.epoch + self.start.elapsed()
    }

    fn sleep_until(&self, due: Duration) -> BoxFuture<()> {
        let at = self.start + due.saturating_sub(self.epoch);
        Box::pin(tokio::time::sleep_until(at.into()))
    }
}

/// Where a line of the guest's console goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Output,
    Error,
}

/// Fills in random bytes; false where there are none now.
pub type Random = Arc<dyn Fn(&mut [u8]) -> bool + Send + Sync>;
/// Takes a line that the guest has written.
pub type Console = Arc<dyn Fn(Stream, &str) + Send + Sync>;
/// Starts a task that nobody waits for: what a request has begun and goes on after its response.
pub type Spawn = Arc<dyn Fn(BoxFuture<()>) + Send + Sync>;

/// What the library asks of the world. `Platform::default()` is tokio and the machine.
#[derive(Clone)]
pub struct Platform {
    pub clock: Arc<dyn Clock>,
    pub random: Random,
    pub console: Console,
    pub spawn: Spawn,
}

impl Default for Platform {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(|bytes| getrandom::fill(bytes).is_ok()),
            console: Arc::new(print),
            spawn: spawn_by_tokio(),
        }
    }
}

/// A console that has been closed is no reason to fail.
fn print(stream: Stream, line: &str) {
    let _ = match stream {
        Stream::Output => writeln!(std::io::stdout(), "{line}"),
        Stream::Error => writeln!(std::io::stderr(), "{line}"),
    };
}

/// Remembers the runtime: a response future may be dropped where there is none.
fn spawn_by_tokio() -> Spawn {
    let runtime = OnceLock::new();
    Arc::new(move |task| {
        let here = Handle::try_current();
        if let Ok(handle) = &here {
            let _ = runtime.set(handle.clone());
        }
        if let Some(handle) = here.ok().as_ref().or(runtime.get()) {
            handle.spawn(task);
        }
    })
}
