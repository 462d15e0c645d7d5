//! Transport: what sends the requests of a guest. The default is hyper's client, which pools its connections.

use std::future::Future;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName};
use http::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::abort::Abort;
use crate::platform::BoxFuture;
use crate::{Body, BoxError};

/// Sends requests to granted origins. Redirects are not its business: each hop must be granted.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request. May return early, with any error, once `abort` says that nobody wants the response.
    fn send(
        &self,
        request: Request<Body>,
        abort: Abort,
    ) -> impl Future<Output = Result<Response<Body>, BoxError>> + Send;
}

/// A [`Transport`] of any type.
pub(crate) trait AnyTransport: Send + Sync {
    fn send(self: Arc<Self>, request: Request<Body>, abort: Abort) -> BoxFuture<Result<Response<Body>, BoxError>>;
}

impl<T: Transport> AnyTransport for T {
    fn send(self: Arc<Self>, request: Request<Body>, abort: Abort) -> BoxFuture<Result<Response<Body>, BoxError>> {
        Box::pin(async move { Transport::send(&*self, request, abort).await })
    }
}

#[cfg(feature = "https")]
type DefaultConnector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "https"))]
type DefaultConnector = HttpConnector;

/// HTTP/1.1 by hyper, with TLS by rustls if the feature `https` is on.
#[derive(Clone)]
pub struct HttpTransport<C = DefaultConnector> {
    client: Client<C, Body>,
}

impl Default for HttpTransport {
    fn default() -> Self {
        Self::with_connector(default_connector())
    }
}

impl<C: Connect + Clone + Send + Sync + 'static> HttpTransport<C> {
    /// Connects in a way of your own, through a proxy say.
    pub fn with_connector(connector: C) -> Self {
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Self { client }
    }
}

#[cfg(feature = "https")]
fn default_connector() -> DefaultConnector {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
        .map(|builder| builder.https_or_http().enable_http1().wrap_connector(http))
        .expect("ring has the protocol versions that rustls defaults to")
}

#[cfg(not(feature = "https"))]
fn default_connector() -> DefaultConnector {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http
}

impl<C: Connect + Clone + Send + Sync + 'static> Transport for HttpTransport<C> {
    async fn send(&self, mut request: Request<Body>, abort: Abort) -> Result<Response<Body>, BoxError> {
        // The granted origin decides which host is meant, and hyper how the body is framed.
        request.headers_mut().remove(header::HOST);
        request.headers_mut().remove(header::CONTENT_LENGTH);
        remove_hop_headers(request.headers_mut());
        let response = abort.or(self.client.request(request)).await.ok_or("aborted")?.map_err(with_causes)?;
        if response.status().is_informational() {
            // A switch of protocols: no answer that anybody could be given.
            return Err(format!("{} is no status of an answer", response.status().as_u16()).into());
        }
        let (mut head, body) = response.into_parts();
        remove_hop_headers(&mut head.headers);
        Ok(Response::from_parts(head, body.into()))
    }
}

/// hyper's own message says that sending failed; why is in its sources.
fn with_causes(error: hyper_util::client::legacy::Error) -> BoxError {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    message.into()
}

/// Headers of one connection, which do not travel to the next.
const HOP_HEADERS: [HeaderName; 6] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

pub(crate) fn remove_hop_headers(headers: &mut HeaderMap) {
    for name in &HOP_HEADERS {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn a_switch_of_protocols_is_no_answer() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let upstream = std::thread::spawn(move || {
            let mut connection = listener.accept().unwrap().0;
            assert!(connection.read(&mut [0; 1024]).unwrap() > 0);
            let answer = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n";
            connection.write_all(answer).unwrap();
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let request = Request::get(url).body(Body::default()).unwrap();
        let answer = runtime.block_on(Transport::send(&HttpTransport::default(), request, Abort::default()));
        assert_eq!(answer.unwrap_err().to_string(), "101 is no status of an answer");
        upstream.join().unwrap();
    }
}
