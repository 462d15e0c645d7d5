//! Bench: what this host costs in the process, in one run: `cargo run --release --bin bench`
//!
//! Beside a plain handler and behind a server it is measured by `npm run bench:hosts`, as all hosts are.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use http::Request;
use http_body_util::BodyExt;
use tokio::runtime::{Builder, Runtime};
use wasm_proactor::{Isolation, MemoryStore, Options, Proactor, Resources, Rights};

const ROUNDS: usize = 15;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), BoxError> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let read = |name: &str| {
        let path = format!("{root}/build/{name}");
        std::fs::read(&path).map_err(|error| format!("{path}: {error}; say `npm run build` first"))
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    crossing(&runtime, &read("bench/noop.wasm")?)?;
    start_up(&runtime, &read("worker.wasm")?)
}

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

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What one completion costs: submitted, admitted, polled, dispatched.
fn crossing(runtime: &Runtime, noop: &[u8]) -> Result<(), BoxError> {
    const COUNT: u32 = 100_000;
    let app = Proactor::new(noop, Options::default())?;
    println!("nanoseconds for each completion of a noop, by how many are in flight");
    for batch in [1, 16, 256] {
        let path = format!("/pummel?count={COUNT}&size={batch}");
        let micros = runtime.block_on(median_of(|| timed(&app, &path, 1)))?;
        println!("  {batch:>3} {:>8.0}", micros * 1e3 / f64::from(COUNT));
    }
    Ok(())
}

fn start_up(runtime: &Runtime, worker: &[u8]) -> Result<(), BoxError> {
    let app = |isolation| {
        let resources = Resources::new().kv("CACHE", MemoryStore::new(), Rights::ALL);
        Proactor::new(worker, Options { resources, isolation, on_error: Arc::new(|_| {}), ..Options::default() })
    };
    let start = Instant::now();
    let fresh = app(Isolation::Request)?;
    let compiled = start.elapsed().as_secs_f64() * 1e3;
    println!("\na request, without HTTP");
    for (name, app) in [
        ("hello, request", fresh),
        ("hello, pooled", app(Isolation::Pooled)?),
        ("hello, shared", app(Isolation::Shared)?),
    ] {
        let micros = runtime.block_on(median_of(|| timed(&app, "/hello", 1000)))?;
        println!("  {name:<16} {micros:>8.1} µs; a new instance is in the first of the three only");
    }
    println!("  compiling        {compiled:>8.1} ms, of {} bytes", worker.len());
    Ok(())
}
