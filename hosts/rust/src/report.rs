//! Report: what the host tells its owner, and what a client may know of it.

use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};

use crate::Body;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// The module trapped.
    Trap,
    /// A request fell silent without a response.
    Unanswered,
    /// An operation failed that has no handler.
    Unhandled,
    /// An operation failed in whose place another was taken.
    Dropped,
    /// The host's own fault.
    Unexpected,
    /// The guest asked for a resource that was not granted.
    Open,
}

impl ReportKind {
    /// The word that all hosts use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Unanswered => "unanswered",
            Self::Unhandled => "unhandled",
            Self::Dropped => "dropped",
            Self::Unexpected => "unexpected",
            Self::Open => "open",
        }
    }
}

/// Names one submission: a slot and its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub slot: u32,
    pub generation: u32,
}

/// Something that went wrong and that no handler of the guest has dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    pub kind: ReportKind,
    pub message: String,
    /// The operation whose handler was running, or that failed.
    pub operation: Option<String>,
    pub token: Option<Token>,
    pub status: Option<i32>,
    /// Where in the guest's source, as a trap by `abort` tells.
    pub file: Option<String>,
    pub line: Option<u32>,
    pub column: Option<u32>,
    /// The request, as `METHOD URL`.
    pub request: Option<String>,
}

/// Told of every [`Report`]. It is called while the module waits, so it should be quick.
pub type OnError = Arc<dyn Fn(&Report) + Send + Sync>;

impl Report {
    pub(crate) fn new(kind: ReportKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            operation: None,
            token: None,
            status: None,
            file: None,
            line: None,
            column: None,
            request: None,
        }
    }
}

/// One line for a log.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wasm-proactor: {}: {}", self.kind.as_str(), self.message)?;
        f.write_str(&place(self.file.as_deref(), self.line, self.column))?;
        if let Some(operation) = &self.operation {
            let failed = matches!(self.kind, ReportKind::Unhandled | ReportKind::Dropped);
            let role = if failed { "the operation was" } else { "in the handler of" };
            write!(f, ", {role} {operation}")?;
            if let Some(Token { slot, generation }) = self.token {
                write!(f, " {slot}:{generation}")?;
            }
        }
        match &self.request {
            Some(request) => write!(f, ", for {request}"),
            None => Ok(()),
        }
    }
}

/// A place in the guest's source as messages have it; nothing if there is none.
pub(crate) fn place(file: Option<&str>, line: Option<u32>, column: Option<u32>) -> String {
    match file {
        Some(file) if !file.is_empty() => format!(" ({file}:{}:{})", line.unwrap_or(0), column.unwrap_or(0)),
        _ => String::new(),
    }
}

/// Why a request was not answered by the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ContextFailure {
    Trap,
    Condemned,
    Unanswered(String),
    Unexpected,
    ShutDown,
}

impl ContextFailure {
    /// A word for programs, a sentence for people.
    fn words(&self) -> (&str, &str) {
        match self {
            Self::Trap => ("trap", "The module trapped while it handled this request."),
            Self::Condemned => ("condemned", "The instance that served this request was replaced."),
            Self::Unanswered(detail) => ("unanswered", detail),
            Self::Unexpected => ("unexpected", "The host failed while it handled this request."),
            Self::ShutDown => ("shutdown", SHUT_DOWN),
        }
    }

    pub fn response(&self) -> http::Response<Body> {
        let (error, detail) = self.words();
        let detail = serde_json::Value::from(detail);
        let mut response = http::Response::new(Body::from(format!(r#"{{"error":"{error}","detail":{detail}}}"#)));
        *response.status_mut() = match self {
            Self::ShutDown => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

pub(crate) const SHUT_DOWN: &str = "The host is shutting down.";
