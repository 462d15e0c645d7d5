//! Where conformance does not look: many requests at once on many threads, some of which trap, loop or lose their
//! client. Afterwards nothing may be left.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::runtime::Handle;
use tokio::task::{JoinSet, yield_now};
use wasm_proactor::{
    Abort, Body, BoxError, Counters, Isolation, Limits, MemoryStore, Options, Proactor, Report, ReportKind, Resources,
    Rights, Shutdown, Transport,
};

const ISOLATIONS: [Isolation; 3] = [Isolation::Request, Isolation::Pooled, Isolation::Shared];

fn wasm(name: &str) -> Vec<u8> {
    let path = format!("{}/../../build/test/{name}.wasm", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|_| panic!("there is no {path}: say `npm run build` first"))
}

/// An upstream in this process, which counts what it holds: requests under way, and bodies that were not let go of.
#[derive(Clone, Default)]
struct Upstream(Arc<AtomicI64>);

struct Held(Arc<AtomicI64>);

impl Upstream {
    fn hold(&self) -> Held {
        self.0.fetch_add(1, Ordering::AcqRel);
        Held(self.0.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Transport for Upstream {
    async fn send(&self, request: Request<Body>, abort: Abort) -> Result<Response<Body>, BoxError> {
        let held = self.hold();
        yield_now().await;
        let path = request.uri().path();
        if path.starts_with("/slow/") {
            abort.aborted().await;
            return Err("aborted".into());
        }
        let left = if path == "/file" { 300 } else { 0 };
        Ok(Response::new(Body::new(Pieces { first: Some(Bytes::from(path.to_owned())), left, _held: held })))
    }
}

/// A body whose every piece takes a moment.
struct Pieces {
    first: Option<Bytes>,
    left: u32,
    _held: Held,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.first = Some(Bytes::from_static(&[b'.'; 10_000]));
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

async fn poll_once<F: Future>(future: &mut Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// Polls a future a number of times, and then drops it: a client that goes away.
async fn patient<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(output) = poll_once(&mut future).await {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

/// Numbers that look random, and are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn proactor(name: &str, isolation: Isolation, limits: Limits, upstream: Upstream) -> (Proactor, Reports) {
    let reports = Reports::default();
    let told = reports.clone();
    let resources = Resources::new()
        .kv("CACHE", MemoryStore::new(), Rights::ALL)
        .origin_by("UPSTREAM", ["http://upstream.test"], upstream)
        .unwrap();
    let on_error = Arc::new(move |report: &Report| told.0.lock().unwrap().push(report.clone()));
    let options = Options { resources, isolation, limits, on_error, ..Options::default() };
    (Proactor::new(wasm(name), options).unwrap(), reports)
}

#[derive(Clone, Default)]
struct Reports(Arc<std::sync::Mutex<Vec<Report>>>);

impl Reports {
    fn kinds(&self) -> Vec<ReportKind> {
        self.0.lock().unwrap().iter().map(|report| report.kind).collect()
    }
}

fn get(path: &str) -> Request<Body> {
    Request::get(format!("http://guest.test{path}")).body(Body::empty()).unwrap()
}

async fn text(response: Response<Body>) -> (StatusCode, String) {
    let (head, body) = response.into_parts();
    (head.status, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

/// Nothing is left: no request, no operation, no instance, no body and no task.
async fn expect_nothing_left(app: &Proactor, upstream: &Upstream) {
    app.shutdown(Shutdown::Graceful).await;
    let Counters { contexts, in_flight, instances, .. } = app.counters();
    assert_eq!((contexts, in_flight, instances), (0, 0, 0));
    // What was aborted returns by itself, on tasks that have their turn now.
    while upstream.0.load(Ordering::Acquire) > 0 || Handle::current().metrics().num_alive_tasks() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

const HOW: [&str; 12] =
    ["ok", "ok", "ok", "forward", "later", "slow", "trap", "unreachable", "overflow", "silent", "large", "wait"];

async fn one_request(app: Proactor, id: u64, mut random: Random, isolation: Isolation) {
    let how = HOW[random.below(HOW.len() as u64) as usize];
    let answer = app.fetch(get(&format!("/{how}/{id}")));
    let (status, body) = if how == "wait" || random.below(4) == 0 {
        let Some(response) = patient(random.below(12) as u32, answer).await else { return };
        text(response).await
    } else {
        text(answer.await).await
    };
    let status = status.as_u16();
    // What is worse than an abort fails all that share the instance.
    if isolation == Isolation::Shared && status == 500 {
        assert!(["trap", "condemned", "unanswered"].iter().any(|word| body.contains(word)), "{how}: {body}");
        return;
    }
    match how {
        "ok" => assert_eq!((status, body), (200, format!("{id}|value of {id}|/page/{id}"))),
        "forward" => assert_eq!((status, body), (200, format!("/page/{id}"))),
        "later" => assert_eq!((status, body), (200, format!("later {id}"))),
        "large" => assert_eq!((status, body), (200, "3000005".to_owned())),
        "slow" => assert_eq!(status, 504, "{body}"),
        "silent" => assert!(status == 500 && body.contains("unanswered"), "{status} {body}"),
        _ => assert!(status == 500 && body.contains("\"trap\""), "{how}: {status} {body}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn overlapping_requests_get_their_own_answers_and_leave_nothing_behind() {
    for (isolation, seed) in ISOLATIONS.into_iter().flat_map(|isolation| [(isolation, 1), (isolation, 2)]) {
        let upstream = Upstream::default();
        let (app, _) = proactor("isolation", isolation, Limits::default(), upstream.clone());
        let mut random = Random(seed * 0x9e37_79b9_7f4a_7c15);
        let mut requests = JoinSet::new();
        for id in 0..400 {
            let seed = Random(random.below(u64::MAX) | 1);
            requests.spawn(one_request(app.clone(), id, seed, isolation));
            if random.below(8) == 0 {
                yield_now().await;
            }
        }
        while let Some(ended) = requests.join_next().await {
            ended.unwrap();
        }
        // In a shared instance, all whose clients would have left may have been condemned before.
        let Counters { traps, killed, .. } = app.counters();
        assert!(traps > 0 && (killed > 0 || isolation == Isolation::Shared), "{isolation:?}: {traps} {killed}");
        expect_nothing_left(&app, &upstream).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shutdown_at_any_moment_leaves_nothing_behind() {
    for (isolation, mode) in
        ISOLATIONS.into_iter().flat_map(|isolation| [(isolation, Shutdown::Graceful), (isolation, Shutdown::Now)])
    {
        let upstream = Upstream::default();
        let (app, _) = proactor("isolation", isolation, Limits::default(), upstream.clone());
        let mut requests = JoinSet::new();
        for id in 0..200u64 {
            let how = ["ok", "later", "silent", "forward"][id as usize % 4];
            let app = app.clone();
            requests.spawn(async move { text(app.fetch(get(&format!("/{how}/{id}"))).await).await });
            if id == 100 {
                yield_now().await;
            }
        }
        app.shutdown(mode).await;
        let Counters { contexts, in_flight, instances, .. } = app.counters();
        assert_eq!((contexts, in_flight, instances), (0, 0, 0), "{isolation:?} {mode:?}");
        while let Some(ended) = requests.join_next().await {
            let (status, body) = ended.unwrap();
            assert!([200, 500, 502, 503].contains(&status.as_u16()), "{status} {body}");
        }
        expect_nothing_left(&app, &upstream).await;
    }
}

#[tokio::test]
async fn dropping_the_future_ends_the_request_and_aborts_its_work() {
    for isolation in ISOLATIONS {
        let upstream = Upstream::default();
        let (app, reports) = proactor("isolation", isolation, Limits::default(), upstream.clone());
        let mut request = Box::pin(app.fetch(get("/wait/1")));
        // Until all five operations are under way.
        while upstream.0.load(Ordering::Acquire) < 2 {
            assert!(patient(1, &mut request).await.is_none());
        }
        drop(request);
        assert_eq!((app.counters().contexts, app.counters().killed), (0, 1));
        // The next one gives the slots back, if it is in the same instance.
        assert_eq!(text(app.fetch(get("/ok/2")).await).await.0, 200);
        let reclaimed = app.counters().reclaimed;
        assert_eq!(reclaimed > 0, isolation == Isolation::Shared, "{isolation:?}: {reclaimed} slots");
        // Of the key that is not there, for which no handler waits; a client that leaves is nothing to report.
        assert_eq!(reports.kinds(), [ReportKind::Unhandled]);
        expect_nothing_left(&app, &upstream).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_loops_for_ever_is_stopped_and_costs_its_own_request() {
    for isolation in ISOLATIONS {
        let limits = Limits { run_ms: 50, ..Limits::default() };
        let (app, reports) = proactor("endless", isolation, limits, Upstream::default());
        let other = tokio::spawn({
            let app = app.clone();
            async move { text(app.fetch(get("/")).await).await }
        });
        let (status, body) = text(app.fetch(get("/endless")).await).await;
        assert!(status == 500 && body.contains("\"trap\""), "{status} {body}");
        assert_eq!(reports.kinds(), [ReportKind::Trap]);
        let (status, body) = other.await.unwrap();
        let was_in_the_way = isolation == Isolation::Shared && body.contains("condemned");
        assert!(status == 200 || was_in_the_way, "{isolation:?}: {status} {body}");
        assert_eq!(text(app.fetch(get("/")).await).await, (StatusCode::OK, "done".to_owned()));
        expect_nothing_left(&app, &Upstream::default()).await;
    }
}

#[tokio::test]
async fn memory_grows_no_further_than_its_limit() {
    for (grow_bytes, brought) in [(1 << 20, false), (1 << 30, true)] {
        let upstream = Upstream::default();
        let limits = Limits { grow_bytes, ..Limits::default() };
        let (app, _) = proactor("isolation", Isolation::Pooled, limits, upstream.clone());
        let (status, body) = text(app.fetch(get("/large/1")).await).await;
        assert_eq!((status.as_u16(), body.as_str()) == (200, "3000005"), brought, "{status} {body}");
        assert_eq!(text(app.fetch(get("/ok/2")).await).await.0, 200);
        expect_nothing_left(&app, &upstream).await;
    }
}
