//! Fetch: sends an HTTP request to a granted origin and completes with the response.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Request, Response, StatusCode, Uri};
use url::Url;

use super::read::read_body;
use super::{Outcome, Processor, Work};
use crate::Body;
use crate::abi::{FETCH_BODY, Opcode, RedirectMode, Status};
use crate::abort::Abort;
use crate::connections::Connections;
use crate::context::ContextId;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::pairs::{encode_headers, headers_of};
use crate::resource::{OriginGrant, Resource};
use crate::submission::Submission;

pub(crate) const FETCH: Processor = Processor { flags: FETCH_BODY, ..Processor::new(Opcode::Fetch, "fetch", fetch) };

struct Outgoing {
    url: Url,
    method: Method,
    headers: HeaderMap,
    body: OutgoingBody,
}

enum OutgoingBody {
    None,
    Bytes(Bytes),
    /// None once it was sent.
    Stream(Option<Body>),
}

impl OutgoingBody {
    fn take(&mut self) -> Body {
        match self {
            Self::None => Body::empty(),
            Self::Bytes(bytes) => bytes.clone().into(),
            Self::Stream(body) => body.take().unwrap_or_default(),
        }
    }
}

fn fetch(submission: &Submission<'_>, instance: &mut Instance, context: ContextId) -> Result<Work, Failure> {
    let Some(Resource::Origin(grant)) = instance.resource(context, submission.resource) else {
        return Err(Failure::bad_resource(submission.resource, "origin"));
    };
    let grant = grant.clone();
    let mode = match submission.arguments[1] {
        0 => RedirectMode::Follow,
        1 => RedirectMode::Manual,
        2 => RedirectMode::Error,
        mode => return Err(Failure::invalid(format!("fetch: {mode} is no redirect mode"))),
    };
    let wants_body = submission.flags & FETCH_BODY != 0;
    if !wants_body {
        instance.check_resources()?;
    }
    let bytes_max = instance.body_bytes_max(submission.arguments[0]);
    let request = request_of(submission, instance, context, &grant)?;
    let abort = Abort::default();
    let journey = Journey {
        grant,
        mode,
        redirects: instance.host.limits.redirects,
        connections: instance.connections(context),
        abort: abort.clone(),
    };
    Work::later(abort.clone(), async move {
        let response = journey.follow(request).await?;
        let auxiliary = response.status().as_u16().into();
        if !wants_body {
            let payload = encode_headers(response.headers(), &[]).into();
            return Ok(Outcome { auxiliary, payload, response: Some(response) });
        }
        let (head, body) = response.into_parts();
        let body = read_body(body, bytes_max, &abort).await?;
        Ok(Outcome { auxiliary, payload: encode_headers(&head.headers, &body).into(), response: None })
    })
}

fn request_of(
    submission: &Submission<'_>,
    instance: &mut Instance,
    context: ContextId,
    grant: &OriginGrant,
) -> Result<Outgoing, Failure> {
    let pairs = submission.meta_pairs()?;
    let Some(((method, url), pairs)) = pairs.split_first() else {
        return Err(Failure::invalid("fetch: the head is missing"));
    };
    let source = submission.arguments[2];
    instance.check_source(context, submission, source)?;
    let has_body = source != 0 || !submission.data().is_empty();
    let url = granted(url, &grant.origins[0], grant, Status::Invalid)?;
    let method = checked_method(method, has_body)?;
    let headers = headers_of(pairs)?;
    // Last: what is refused has taken nothing.
    let body = match (source, submission.data()) {
        (0, []) => OutgoingBody::None,
        (0, data) => OutgoingBody::Bytes(Bytes::copy_from_slice(data)),
        (source, _) => OutgoingBody::Stream(Some(instance.take_body(context, source)?)),
    };
    Ok(Outgoing { url, method, headers, body })
}

/// The URL, if it may be fetched: a path at `base`, or an absolute URL at any granted origin. What else it is the guest
/// or the upstream has got wrong, hence `otherwise`.
fn granted(text: &str, base: &Url, grant: &OriginGrant, otherwise: Status) -> Result<Url, Failure> {
    let url = base.join(text).map_err(|_| Failure::new(otherwise, format!("fetch: \"{text}\" is no URL")))?;
    if !url.username().is_empty() || url.password().is_some_and(|password| !password.is_empty()) {
        return Err(Failure::new(otherwise, "fetch: a URL must not contain credentials"));
    }
    let origin = url.origin();
    // The origin of blob:https://… is that of what it wraps.
    if url.scheme() == "blob" || !grant.origins.iter().any(|granted| granted.origin() == origin) {
        let message = format!("fetch: {} is not among the granted origins", origin.ascii_serialization());
        return Err(Failure::new(Status::NotPermitted, message));
    }
    Ok(url)
}

/// An HTTP token, and none of the methods that the fetch standard forbids, at all or with a body.
fn checked_method(text: &str, has_body: bool) -> Result<Method, Failure> {
    let upper = text.to_ascii_uppercase();
    let method = Method::from_bytes(text.as_bytes()).ok();
    let Some(method) = method.filter(|_| !matches!(upper.as_str(), "CONNECT" | "TRACE" | "TRACK")) else {
        return Err(Failure::invalid(format!("fetch: \"{text}\" is no method for a request")));
    };
    if has_body && matches!(upper.as_str(), "GET" | "HEAD") {
        return Err(Failure::invalid(format!("fetch: a {text} has no body")));
    }
    // The fetch standard says which ones mean the same in lower case.
    let means_upper = matches!(upper.as_str(), "DELETE" | "GET" | "HEAD" | "OPTIONS" | "POST" | "PUT");
    Ok(if means_upper { upper.parse().unwrap_or(method) } else { method })
}

/// One fetch, from its first request over all redirects to the response that counts.
struct Journey {
    grant: Arc<OriginGrant>,
    mode: RedirectMode,
    redirects: u32,
    connections: Connections,
    abort: Abort,
}

impl Journey {
    /// Follows redirects itself, as each hop must be granted.
    async fn follow(&self, mut request: Outgoing) -> Result<Response<Body>, Failure> {
        for hops in 0.. {
            let response = self.send(&mut request).await?;
            // A transport that ignored its abort may still answer, but nobody waits for where it leads.
            if self.abort.is_aborted() || self.mode == RedirectMode::Manual {
                return Ok(response);
            }
            let Some(location) = location_of(&response) else { return Ok(response) };
            if self.mode == RedirectMode::Error {
                return Err(Failure::new(Status::Redirect, "fetch: the response is a redirect"));
            }
            if hops == self.redirects {
                break;
            }
            request = self.redirected(request, response.status(), &location)?;
        }
        Err(Failure::new(Status::Redirect, "fetch: too many redirects"))
    }

    async fn send(&self, outgoing: &mut Outgoing) -> Result<Response<Body>, Failure> {
        let mut request = Request::new(outgoing.body.take());
        *request.method_mut() = outgoing.method.clone();
        *request.uri_mut() = uri_of(&outgoing.url)?;
        *request.headers_mut() = outgoing.headers.clone();
        let connection = self.connections.take(&self.abort).await?;
        let result = self.grant.transport.clone().send(request, self.abort.clone()).await;
        drop(connection);
        result.map_err(|error| Failure::new(Status::Network, format!("fetch: {error}")))
    }

    /// The request that a redirect asks for, as the fetch standard says.
    fn redirected(&self, request: Outgoing, status: StatusCode, location: &str) -> Result<Outgoing, Failure> {
        let Outgoing { url: from, method, mut headers, body } = request;
        let url = granted(location, &from, &self.grant, Status::Redirect)?;
        if url.origin() != from.origin() {
            remove(&mut headers, &SECRETS);
        }
        let becomes_get = match status {
            StatusCode::SEE_OTHER => method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::POST,
            _ => false,
        };
        if becomes_get {
            remove(&mut headers, &DESCRIPTIONS);
            return Ok(Outgoing { url, method: Method::GET, headers, body: OutgoingBody::None });
        }
        if let OutgoingBody::Stream(_) = body {
            return Err(Failure::new(Status::Redirect, "fetch: a streamed body cannot be sent again"));
        }
        Ok(Outgoing { url, method, headers, body })
    }
}

/// Where a redirect leads; none if the response is a result.
fn location_of(response: &Response<Body>) -> Option<String> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(header::LOCATION).filter(|_| is_redirect)?;
    Some(location.as_bytes().iter().copied().map(char::from).collect())
}

fn uri_of(url: &Url) -> Result<Uri, Failure> {
    let (text, _) = url.as_str().split_once('#').unwrap_or((url.as_str(), ""));
    text.parse().map_err(|_| Failure::invalid(format!("fetch: \"{text}\" is no URL for HTTP")))
}

/// What was meant for one origin stays there.
const SECRETS: [HeaderName; 3] = [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];
/// What describes a body goes with it.
const DESCRIPTIONS: [HeaderName; 5] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_LOCATION,
    header::CONTENT_TYPE,
];

fn remove(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}
