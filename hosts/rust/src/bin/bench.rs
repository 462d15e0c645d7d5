//! Bench: what the guest costs beside a handler in Rust, in one run: `cargo run --release --bin bench`
//!
//! Server and client share the machine, and what else it does shows. So the two are measured in turns, and what counts
//! is the median of the ratios of neighbours.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use wasm_proactor::{
    Abort, Body, GetOptions, HttpTransport, Isolation, Limits, MemoryStore, Options, Proactor, PutOptions, Resources,
    Rights, Store, Transport,
};

const ROUNDS: usize = 15;
const ROUND_MS: u64 = 200;
const CONNECTIONS: usize = 16;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), BoxError> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let read = |name: &str| {
        let path = format!("{root}/build/{name}");
        std::fs::read(&path).map_err(|error| format!("{path}: {error}; say `npm run build` first"))
    };
    let (worker, noop) = (read("worker.wasm")?, read("bench/noop.wasm")?);
    // A thread for the server and one for its clients and its upstream.
    let server = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let client = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    routes(&server, &client, &worker)?;
    crossing(&server, &noop)?;
    start_up(&server, &worker)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

// Routes, over HTTP.

fn routes(server: &Runtime, client: &Runtime, worker: &[u8]) -> Result<(), BoxError> {
    let store = Arc::new(MemoryStore::new());
    server.block_on(store.put("key", "value".into(), PutOptions::default()))?;
    let upstream = client.block_on(listen(service_fn(|_| async { Ok(plain_text("part")) })))?;
    let origin = format!("http://{upstream}");
    let resources = Resources::new().kv("CACHE", store.clone(), Rights::ALL).origin("UPSTREAM", [&origin])?;
    let limits = Limits { connections: 30, ..Limits::default() };
    let app = Proactor::new(worker, Options { resources, limits, ..Options::default() })?;
    let guest = server.block_on(listen(TowerToHyperService::new(app)))?;
    let handler = Handler { store, transport: HttpTransport::default(), origin };
    let plain = server.block_on(listen(service_fn(move |request: Request<hyper::body::Incoming>| {
        let handler = handler.clone();
        async move { Ok(handler.answer(request.uri().path()).await) }
    })))?;
    println!("requests per second, {CONNECTIONS} connections       guest    plain   ratio   p99 µs guest  plain");
    for path in ["/hello", "/kv/key", "/aggregate?n=5&delay=0"] {
        let (mut ratios, mut rates, mut p99s) = (Vec::new(), [Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for round in 0..=ROUNDS {
            let mut pair = [0.0; 2];
            for (which, address) in [guest, plain].into_iter().enumerate() {
                let (rate, p99) = client.block_on(load(address, path))?;
                pair[which] = rate;
                // The first round warms up.
                if round > 0 {
                    rates[which].push(rate);
                    p99s[which].push(p99);
                }
            }
            if round > 0 {
                ratios.push(pair[0] / pair[1]);
            }
        }
        let ([guest, plain], [guest_p99, plain_p99]) = (rates.map(median), p99s.map(median));
        let ratio = median(ratios);
        println!("  {path:<40} {guest:>8.0} {plain:>8.0} {ratio:>7.2} {guest_p99:>14.0} {plain_p99:>6.0}");
    }
    Ok(())
}

async fn listen<S>(service: S) -> Result<SocketAddr, BoxError>
where
    S: Service<Request<hyper::body::Incoming>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
            tokio::spawn(async move { drop(connection.await) });
        }
    });
    Ok(address)
}

/// Asks as fast as it is answered, for a while. Gives requests per second, and the time below which 99 % were answered.
async fn load(address: SocketAddr, path: &str) -> Result<(f64, f64), BoxError> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let start = Instant::now();
    let end = start + Duration::from_millis(ROUND_MS);
    let clients = (0..CONNECTIONS).map(|_| tokio::spawn(ask(address, request.clone(), end)));
    let mut micros = Vec::new();
    for client in join_all(clients).await {
        micros.extend(client??);
    }
    let rate = micros.len() as f64 / start.elapsed().as_secs_f64();
    micros.sort_by(f64::total_cmp);
    Ok((rate, micros[micros.len() * 99 / 100]))
}

async fn ask(address: SocketAddr, request: String, end: Instant) -> Result<Vec<f64>, BoxError> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut micros, mut buffer) = (Vec::new(), vec![0; 65_536]);
    while Instant::now() < end {
        let start = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let mut filled = 0;
        while !is_whole(&buffer[..filled])? {
            filled += stream.read(&mut buffer[filled..]).await?;
        }
        micros.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(micros)
}

/// Whether a response with a known length and status 200 is all there.
fn is_whole(response: &[u8]) -> Result<bool, BoxError> {
    let Some(head) = response.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(false) };
    let text = std::str::from_utf8(&response[..head])?;
    if !text.starts_with("HTTP/1.1 200") {
        return Err(text.into());
    }
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).ok_or("no length")?;
    Ok(response.len() >= head + 4 + length.parse::<usize>()?)
}

/// What the guest does, in Rust.
#[derive(Clone)]
struct Handler {
    store: Arc<MemoryStore>,
    transport: HttpTransport,
    origin: String,
}

impl Handler {
    async fn answer(&self, path: &str) -> Response<Body> {
        if let Some(key) = path.strip_prefix("/kv/") {
            let value = self.store.get(key, GetOptions::default()).await.ok().flatten();
            return value.map_or_else(|| plain_text("no such key"), |value| text_of(value.bytes.into()));
        }
        if path != "/aggregate" {
            return plain_text("hello");
        }
        let start = Instant::now();
        let parts = join_all((0..5).map(async |part| {
            let started = start.elapsed().as_millis();
            let status = self.part(part).await.unwrap_or(0);
            format!(r#"{{"start":{started},"end":{},"status":{status}}}"#, start.elapsed().as_millis())
        }));
        let parts = parts.await.join(",");
        text_of(format!(r#"{{"took":{},"fetches":[{parts}]}}"#, start.elapsed().as_millis()).into())
    }

    async fn part(&self, part: u32) -> Result<u16, BoxError> {
        let request = Request::get(format!("{}/part/{part}?delay=0", self.origin)).body(Body::empty())?;
        let (head, body) = self.transport.send(request, Abort::default()).await?.into_parts();
        body.collect().await?;
        Ok(head.status.as_u16())
    }
}

fn plain_text(text: &'static str) -> Response<Body> {
    text_of(text.into())
}

fn text_of(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

// Without HTTP.

/// Answers in process, one after the other. Gives the time of one, in microseconds.
async fn timed(app: &Proactor, path: &str, count: u32) -> Result<f64, BoxError> {
    let start = Instant::now();
    for _ in 0..count {
        let response = app.fetch(Request::get(format!("http://localhost{path}")).body(())?).await;
        if response.status() != 200 {
            return Err(format!("{path} is answered with {}", response.status()).into());
        }
        response.into_body().collect().await?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(count))
}

async fn median_of<F: Future<Output = Result<f64, BoxError>>>(measure: impl Fn() -> F) -> Result<f64, BoxError> {
    let mut values = Vec::new();
    for _ in 0..ROUNDS {
        values.push(measure().await?);
    }
    Ok(median(values))
}

/// What one completion costs: submitted, admitted, polled, dispatched.
fn crossing(server: &Runtime, noop: &[u8]) -> Result<(), BoxError> {
    const COUNT: u32 = 100_000;
    let app = Proactor::new(noop, Options::default())?;
    println!("\nnanoseconds for each completion of a noop, by how many are in flight");
    for batch in [1, 16, 256] {
        let path = format!("/?count={COUNT}&batch={batch}");
        let micros = server.block_on(median_of(|| timed(&app, &path, 1)))?;
        println!("  {batch:>3} {:>8.0}", micros * 1e3 / f64::from(COUNT));
    }
    Ok(())
}

fn start_up(server: &Runtime, worker: &[u8]) -> Result<(), BoxError> {
    let app = |isolation| {
        let resources = Resources::new().kv("CACHE", MemoryStore::new(), Rights::ALL);
        Proactor::new(worker, Options { resources, isolation, on_error: Arc::new(|_| {}), ..Options::default() })
    };
    let start = Instant::now();
    let fresh = app(Isolation::Request)?;
    let compiled = start.elapsed().as_secs_f64() * 1e3;
    println!("\nin process, without HTTP");
    for (name, app) in [
        ("hello, request", fresh),
        ("hello, pooled", app(Isolation::Pooled)?),
        ("hello, shared", app(Isolation::Shared)?),
    ] {
        let micros = server.block_on(median_of(|| timed(&app, "/hello", 1000)))?;
        println!("  {name:<16} {micros:>8.1} µs; a new instance is in the first of the three only");
    }
    println!("  compiling        {compiled:>8.1} ms, of {} bytes", worker.len());
    Ok(())
}
