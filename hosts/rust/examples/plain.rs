//! Plain: three of the Worker's routes as Rust itself writes them, without any WebAssembly, to compare with.
//! `cargo run --release --example plain -- http://127.0.0.1:9000`

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpListener;

struct Plain {
    upstream: String,
    client: Client<HttpConnector, Empty<Bytes>>,
    store: Mutex<HashMap<String, Bytes>>,
}

type Answer = Response<Full<Bytes>>;

fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, "text/plain; charset=utf-8".parse().expect("a value"));
    response
}

impl Plain {
    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let path = request.uri().path().to_owned();
        if path == "/hello" {
            return Ok(text(StatusCode::OK, "hello"));
        }
        if let Some(key) = path.strip_prefix("/kv/") {
            return Ok(self.kv(key, request).await);
        }
        Ok(self.aggregate(request.uri().query().unwrap_or_default()).await)
    }

    async fn kv(&self, key: &str, request: Request<Incoming>) -> Answer {
        if request.method() == Method::PUT {
            let Ok(body) = request.into_body().collect().await else {
                return text(StatusCode::BAD_REQUEST, "the body broke off");
            };
            self.store.lock().expect("no panic").insert(key.to_owned(), body.to_bytes());
            return text(StatusCode::NO_CONTENT, "");
        }
        match self.store.lock().expect("no panic").get(key) {
            Some(value) => text(StatusCode::OK, value.clone()),
            None => text(StatusCode::NOT_FOUND, "no such key"),
        }
    }

    async fn aggregate(&self, query: &str) -> Answer {
        let query: HashMap<_, _> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let count = query.get("n").and_then(|n| n.parse().ok()).unwrap_or(5);
        let delay = query.get("delay").unwrap_or(&"0");
        let started = Instant::now();
        let parts = futures_util::future::join_all((0..count).map(|index| async move {
            let start = started.elapsed().as_millis();
            let url = format!("{}/part/{index}?delay={delay}", self.upstream).parse().expect("a URL");
            let status = match self.client.get(url).await {
                Ok(response) => {
                    let status = response.status().as_u16();
                    let _ = response.into_body().collect().await;
                    status
                }
                Err(_) => 0,
            };
            format!(r#"{{"start":{start},"end":{},"status":{status}}}"#, started.elapsed().as_millis())
        }))
        .await;
        let body = format!(r#"{{"took":{},"fetches":[{}]}}"#, started.elapsed().as_millis(), parts.join(","));
        let mut response = text(StatusCode::OK, body);
        response.headers_mut().insert(CONTENT_TYPE, "application/json; charset=utf-8".parse().expect("a value"));
        response
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let upstream = std::env::args().nth(1).expect("the upstream's URL");
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
    let plain = Arc::new(Plain { upstream, client, store: Mutex::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let _ = stream.set_nodelay(true);
        let plain = plain.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| plain.answer(request));
            let _ =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
