//! Serves guests of the contract `proactor_v1`: WebAssembly modules with a completion queue inside.
//!
//! ```no_run
//! use wasm_proactor::{MemoryStore, Options, Proactor, Resources, Rights};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let app = Proactor::new(
//!     std::fs::read("app.wasm")?,
//!     Options {
//!         resources: Resources::new()
//!             .kv("CACHE", MemoryStore::new(), Rights::READ)
//!             .origin("API", ["https://api.example.com"])?,
//!         ..Options::default()
//!     },
//! )?;
//! let response = app.fetch(http::Request::get("http://localhost/page").body(())?).await;
//! # Ok(())
//! # }
//! ```
//!
//! A [`Proactor`] is a tower `Service`, so it can be mounted in axum, or behind hyper. What the guest may reach is what
//! [`Resources`] grant it by name; what it may use is bounded by [`Limits`].
//!
//! # Tasks and instances
//!
//! A request is a future, which whoever called [`Proactor::fetch`] drives. It takes an instance, runs the guest's turns
//! on its own stack, polls the operations that the guest has started, and hands the instance on when it is over. An
//! instance stands behind a lock, so exactly one task runs it at a time; with [`Isolation::Request`] and
//! [`Isolation::Pooled`] nobody else has it meanwhile, and with [`Isolation::Shared`] the requests that share it take
//! turns. The lock is held for a turn and never while anything waits.
//!
//! Dropping the future before the answer is there ends the request and aborts what it has begun. What goes on after the
//! answer is a task of its own, and so needs tokio.

#![forbid(unsafe_code)]

mod abi;
mod abort;
mod body;
mod completion_queue;
mod connections;
mod context;
mod counters;
mod deadlines;
mod engine;
mod failure;
mod host;
mod instance;
mod kv;
#[cfg(feature = "redb")]
mod kv_redb;
mod limits;
mod memory;
mod operation;
mod options;
mod pairs;
mod platform;
mod proactor;
mod report;
mod request;
mod resource;
mod submission;
mod transport;
mod url;
mod wasi;

pub use abort::Abort;
pub use body::Body;
pub use counters::Counters;
pub use host::Shutdown;
pub use kv::{GetOptions, Key, ListOptions, MemoryStore, Page, PutOptions, Rights, Store, StoreError, Value};
#[cfg(feature = "redb")]
pub use kv_redb::RedbStore;
pub use limits::Limits;
pub use options::{Error, Isolation, Options};
pub use platform::{BoxFuture, Clock, Console, Platform, Random, Spawn, Stream, SystemClock};
pub use proactor::Proactor;
pub use report::{OnError, Report, ReportKind, Token};
pub use resource::Resources;
pub use transport::{HttpTransport, Transport};

/// Any error of a body or a transport.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
