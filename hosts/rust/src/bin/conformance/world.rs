//! World: a proactor whose time, store and network are a script's. What they were asked is told in the reply, and they
//! return when the script says so.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use wasm_proactor::{
    Abort, Body, BoxError, BoxFuture, Clock, Error, GetOptions, Isolation, Key, Limits, ListOptions, Options, Page,
    Platform, Proactor, PutOptions, Report, Resources, Rights, Shutdown, Store, StoreError, Transport,
    Value as KvValue,
};

use super::executor::Executor;

/// Everything that a script may see or decide, apart from the proactor itself.
#[derive(Default)]
struct Scene {
    reply: Map<String, Value>,
    /// Calls that have not returned, in the order in which they were made.
    pending: Vec<(String, oneshot::Sender<Value>)>,
    /// How often each name was called.
    named: BTreeMap<String, u32>,
    random: u8,
}

type Stage = Arc<Mutex<Scene>>;

fn tell(stage: &Stage, field: &str, entry: Value) {
    let mut scene = stage.lock().unwrap();
    let list = scene.reply.entry(field).or_insert_with(|| json!([]));
    list.as_array_mut().unwrap().push(entry);
}

/// Tells of a call, and gives its name and what will come of it.
fn call(stage: &Stage, name: String, mut details: Value) -> (String, oneshot::Receiver<Value>) {
    let (sender, receiver) = oneshot::channel();
    let mut scene = stage.lock().unwrap();
    let count = scene.named.entry(name.clone()).or_default();
    *count += 1;
    let name = if *count == 1 { name } else { format!("{name} #{count}") };
    scene.pending.push((name.clone(), sender));
    drop(scene);
    details["call"] = json!(name);
    tell(stage, "calls", details);
    (name, receiver)
}

#[derive(Default)]
pub struct World {
    executor: Executor,
    stage: Stage,
    clock: Arc<VirtualClock>,
    proactor: Option<Proactor>,
    clients: BTreeMap<String, u64>,
}

impl World {
    /// Works a command off, and says what was to be seen meanwhile.
    pub fn perform(&mut self, command: &Value) -> Value {
        self.stage.lock().unwrap().reply = Map::new();
        if let Err(error) = self.obey(command) {
            self.stage.lock().unwrap().reply.insert("error".to_owned(), json!(error));
        }
        self.executor.run_until_stalled();
        self.pass(Duration::ZERO);
        Value::Object(std::mem::take(&mut self.stage.lock().unwrap().reply))
    }

    fn obey(&mut self, command: &Value) -> Result<(), String> {
        match text(&command["do"]) {
            "hello" => {}
            "start" => self.start(command)?,
            "request" => self.send(command)?,
            "complete" => self.complete(&command["calls"])?,
            "advance" => self.pass(Duration::from_millis(command["ms"].as_u64().unwrap_or(0))),
            "abandon" => {
                if let Some(task) = self.clients.remove(text(&command["id"])) {
                    self.executor.cancel(task);
                }
            }
            "shutdown" => self.shutdown(if command["mode"] == "now" { Shutdown::Now } else { Shutdown::Graceful }),
            "counters" => {
                if let Some(proactor) = &self.proactor {
                    let counters = counters_of(proactor);
                    self.stage.lock().unwrap().reply.insert("counters".to_owned(), counters);
                }
            }
            other => return Err(format!("there is no command \"{other}\"")),
        }
        Ok(())
    }

    /// Lets time pass, from one moment at which something is due to the next.
    fn pass(&mut self, time: Duration) {
        let until = self.clock.now() + time;
        while self.clock.fire_next(until) {
            self.executor.run_until_stalled();
        }
        self.clock.move_to(until);
    }

    fn start(&mut self, command: &Value) -> Result<(), String> {
        let reply = std::mem::take(&mut self.stage.lock().unwrap().reply);
        *self = Self::default();
        self.stage.lock().unwrap().reply = reply;
        let mut resources = Resources::new();
        for (name, grant) in command["resources"].as_object().into_iter().flatten() {
            resources = self.grant(resources, name, grant).map_err(|error| error.to_string())?;
        }
        let options = Options {
            resources,
            isolation: match text(&command["isolation"]) {
                "request" => Isolation::Request,
                "shared" => Isolation::Shared,
                _ => Isolation::Pooled,
            },
            limits: limits_of(&command["limits"])?,
            on_error: {
                let stage = self.stage.clone();
                Arc::new(move |report| tell(&stage, "reports", report_of(report)))
            },
            platform: self.platform(),
        };
        let module = text(&command["module"]);
        let wasm = std::fs::read(module).map_err(|error| format!("{module}: {error}; say `npm run build` first"))?;
        match Proactor::new(wasm, options) {
            Ok(proactor) => self.proactor = Some(proactor),
            Err(Error::Module(_) | Error::Start(_)) => {
                self.stage.lock().unwrap().reply.insert("refused".to_owned(), json!(true));
            }
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    fn grant(&self, resources: Resources, name: &str, grant: &Value) -> Result<Resources, Error> {
        let (name, stage) = (name.to_owned(), self.stage.clone());
        if let Some(origins) = grant["origins"].as_array() {
            let origins: Vec<_> = origins.iter().map(text).collect();
            return resources.origin_by(name.clone(), origins, ScriptedNetwork { name, stage });
        }
        let rights = grant["kv"].as_array().into_iter().flatten().map(|right| match text(right) {
            "read" => Rights::READ,
            "write" => Rights::WRITE,
            _ => Rights::LIST,
        });
        let rights = rights.fold(Rights::NONE, |all, right| all | right);
        Ok(resources.kv(name.clone(), ScriptedStore { name, stage }, rights))
    }

    fn platform(&self) -> Platform {
        let (random, console, spawner) = (self.stage.clone(), self.stage.clone(), self.executor.spawner());
        Platform {
            clock: self.clock.clone(),
            random: Arc::new(move |bytes| {
                let mut scene = random.lock().unwrap();
                for byte in bytes {
                    *byte = scene.random;
                    scene.random = scene.random.wrapping_add(1);
                }
                true
            }),
            console: Arc::new(move |_, line| tell(&console, "console", json!(line))),
            spawn: Arc::new(move |task| spawner.spawn(task)),
        }
    }

    fn send(&mut self, command: &Value) -> Result<(), String> {
        let Some(proactor) = self.proactor.clone() else { return Err("no module has started".to_owned()) };
        let id = text(&command["id"]).to_owned();
        let body = if command["body"].is_null() { Body::empty() } else { ScriptedBody::of(&command["body"], None) };
        let mut request = Request::new(body);
        let method = command["method"].as_str().unwrap_or("GET");
        *request.method_mut() = method.parse().map_err(|_| format!("{method} is no method"))?;
        let url = text(&command["url"]);
        *request.uri_mut() = url.parse().map_err(|_| format!("{url} is no URL"))?;
        *request.headers_mut() = headers_of(&command["headers"]);
        let (stage, name) = (self.stage.clone(), id.clone());
        let task = self.executor.start(Box::pin(async move {
            let (head, body) = proactor.fetch(request).await.into_parts();
            let (bytes, is_broken) = bytes_of(body).await;
            let mut answer = json!({
                "id": name, "status": head.status.as_u16(), "headers": pairs_of(&head.headers), "body": text_of(&bytes)
            });
            if is_broken {
                answer["broken"] = json!(true);
            }
            tell(&stage, "answers", answer);
        }));
        self.clients.insert(id, task);
        Ok(())
    }

    fn complete(&mut self, calls: &Value) -> Result<(), String> {
        for entry in calls.as_array().into_iter().flatten() {
            let name = text(&entry["call"]);
            let mut scene = self.stage.lock().unwrap();
            let Some(index) = scene.pending.iter().position(|(pending, _)| pending == name) else {
                let waiting: Vec<_> = scene.pending.iter().map(|(name, _)| name.as_str()).collect();
                return Err(format!("no call \"{name}\" waits; there are: {}", waiting.join(", ")));
            };
            let (_, sender) = scene.pending.remove(index);
            drop(scene);
            // Nobody may be left to hear it.
            let _ = sender.send(entry["with"].clone());
        }
        Ok(())
    }

    fn shutdown(&mut self, mode: Shutdown) {
        let (Some(proactor), stage) = (self.proactor.clone(), self.stage.clone()) else { return };
        self.executor.start(Box::pin(async move {
            proactor.shutdown(mode).await;
            stage.lock().unwrap().reply.insert("shutDown".to_owned(), json!(true));
        }));
    }
}

// Time.

/// Stands still until it is moved.
#[derive(Default)]
struct VirtualClock(Arc<Mutex<Timers>>);

#[derive(Default)]
struct Timers {
    now: Duration,
    order: u64,
    /// By the time at which each is due, and the order in which they were set.
    set: BTreeMap<(Duration, u64), Option<Waker>>,
}

impl VirtualClock {
    /// Fires the timer that is due first, if it is by `until`.
    fn fire_next(&self, until: Duration) -> bool {
        let mut timers = self.0.lock().unwrap();
        let first = timers.set.first_entry().filter(|first| first.key().0 <= until);
        let Some(((due, _), waker)) = first.map(|first| first.remove_entry()) else { return false };
        timers.now = timers.now.max(due);
        drop(timers);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    fn move_to(&self, now: Duration) {
        self.0.lock().unwrap().now = now;
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    fn sleep_until(&self, due: Duration) -> BoxFuture<()> {
        let mut timers = self.0.lock().unwrap();
        timers.order += 1;
        let key = (due, timers.order);
        timers.set.insert(key, None);
        Box::pin(Sleep { timers: self.0.clone(), key })
    }
}

struct Sleep {
    timers: Arc<Mutex<Timers>>,
    key: (Duration, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.timers.lock().unwrap().set.get_mut(&self.key) {
            Some(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.timers.lock().unwrap().set.remove(&self.key);
    }
}

// The store and the network.

struct ScriptedStore {
    name: String,
    stage: Stage,
}

impl ScriptedStore {
    async fn call(&self, what: String, details: Value) -> Result<Value, StoreError> {
        let (_, result) = call(&self.stage, format!("{} {what}", self.name), details);
        let result = result.await.unwrap_or(Value::Null);
        let Some(error) = result["error"].as_str() else { return Ok(result) };
        let message = error.to_owned();
        Err(match error {
            "rate-limited" => StoreError::RateLimited(message),
            "quota" => StoreError::Quota(message),
            "invalid" => StoreError::Invalid(message),
            "too-big" => StoreError::TooBig(message),
            _ => StoreError::Failed(message),
        })
    }
}

/// An object of those that are there.
fn details<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}

impl Store for ScriptedStore {
    async fn get(&self, key: &str, options: GetOptions) -> Result<Option<KvValue>, StoreError> {
        let wants_metadata = options.metadata.then_some(json!(true));
        let asked = details([("cacheTtl", options.cache_ttl.map(Value::from)), ("metadata", wants_metadata)]);
        let result = self.call(format!("get {key}"), asked).await?;
        let metadata = result.get("metadata").filter(|metadata| !metadata.is_null()).cloned();
        Ok(bytes_in(&result["value"]).map(|bytes| KvValue { bytes, metadata }))
    }

    async fn put(&self, key: &str, value: Bytes, options: PutOptions) -> Result<(), StoreError> {
        let asked = details([
            ("value", Some(text_of(&value))),
            ("expiration", options.expiration.map(Value::from)),
            ("expirationTtl", options.expiration_ttl.map(Value::from)),
            ("metadata", options.metadata),
        ]);
        self.call(format!("put {key}"), asked).await.map(drop)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.call(format!("delete {key}"), json!({})).await.map(drop)
    }

    async fn list(&self, options: ListOptions) -> Result<Page, StoreError> {
        let asked = details([("limit", Some(json!(options.limit))), ("cursor", options.cursor.map(Value::from))]);
        let result = self.call(format!("list {}", options.prefix), asked).await?;
        let keys = result["keys"].as_array().into_iter().flatten().map(|key| Key {
            name: text(&key["name"]).to_owned(),
            expiration: key["expiration"].as_u64().map(|seconds| seconds as u32),
            metadata: key.get("metadata").filter(|metadata| !metadata.is_null()).cloned(),
        });
        Ok(Page { keys: keys.collect(), cursor: result["cursor"].as_str().map(str::to_owned) })
    }
}

struct ScriptedNetwork {
    name: String,
    stage: Stage,
}

impl Transport for ScriptedNetwork {
    async fn send(&self, request: Request<Body>, abort: Abort) -> Result<Response<Body>, BoxError> {
        let (head, body) = request.into_parts();
        let (bytes, is_broken) = bytes_of(body).await;
        let body = match (is_broken, bytes.is_empty()) {
            (true, _) => Some(json!({ "breaks": String::from_utf8_lossy(&bytes) })),
            (false, false) => Some(text_of(&bytes)),
            (false, true) => None,
        };
        let asked = details([("headers", Some(pairs_of(&head.headers))), ("body", body)]);
        let (name, result) = call(&self.stage, format!("{} {} {}", self.name, head.method, head.uri), asked);
        let aborted = std::pin::pin!(abort.aborted());
        let result = match select(result, aborted).await {
            Either::Left((result, _)) => result,
            // Whether anybody wants it or not, it returns when the script says so.
            Either::Right(((), result)) => {
                tell(&self.stage, "aborted", json!(name));
                result.await
            }
        }?;
        if let Some(error) = result["error"].as_str() {
            return Err(error.into());
        }
        let closed = Some((name, self.stage.clone()));
        let body = if result["body"].is_null() { Body::empty() } else { ScriptedBody::of(&result["body"], closed) };
        let mut response = Response::new(body);
        *response.status_mut() = http::StatusCode::from_u16(result["status"].as_u64().unwrap_or(200) as u16)?;
        *response.headers_mut() = headers_of(&result["headers"]);
        Ok(response)
    }
}

/// How a body ends.
enum End {
    Well,
    Breaks,
    Stalls,
}

/// A body that is read piece by piece, and tells if it is let go of before its end.
struct ScriptedBody {
    piece: Option<Bytes>,
    end: End,
    closed: Option<(String, Stage)>,
}

impl ScriptedBody {
    fn of(body: &Value, closed: Option<(String, Stage)>) -> Body {
        let (content, end) = match (body.get("breaks"), body.get("stalls")) {
            (Some(content), _) => (content, End::Breaks),
            (_, Some(content)) => (content, End::Stalls),
            _ => (body, End::Well),
        };
        let piece = bytes_in(content).filter(|bytes| !bytes.is_empty());
        Body::new(Self { piece, end, closed })
    }
}

impl http_body::Body for ScriptedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(piece) = self.piece.take() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if let End::Stalls = self.end {
            return Poll::Pending;
        }
        self.closed = None;
        match self.end {
            End::Breaks => Poll::Ready(Some(Err("the transfer broke off".into()))),
            _ => Poll::Ready(None),
        }
    }
}

impl Drop for ScriptedBody {
    fn drop(&mut self) {
        if let Some((name, stage)) = self.closed.take() {
            tell(&stage, "closed", json!(name));
        }
    }
}

// Bytes, texts, headers.

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn bytes_in(value: &Value) -> Option<Bytes> {
    match value {
        Value::String(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
        Value::Object(object) => Some(base64::decode(text(object.get("base64")?)).into()),
        _ => None,
    }
}

fn text_of(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": base64::encode(bytes) }),
    }
}

async fn bytes_of(mut body: Body) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend(frame.into_data().unwrap_or_default()),
            Err(_) => return (bytes, true),
        }
    }
    (bytes, false)
}

fn headers_of(pairs: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for pair in pairs.as_array().into_iter().flatten() {
        let name = HeaderName::from_bytes(text(&pair[0]).as_bytes());
        let value: Vec<u8> = text(&pair[1]).chars().map(|character| character as u8).collect();
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// Sorted by name, and joined but for cookies.
fn pairs_of(headers: &HeaderMap) -> Value {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in headers {
        let value: String = value.as_bytes().iter().copied().map(char::from).collect();
        match pairs.iter_mut().find(|(known, _)| known == name.as_str() && known != "set-cookie") {
            Some((_, joined)) => *joined = format!("{joined}, {value}"),
            None => pairs.push((name.to_string(), value)),
        }
    }
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    json!(pairs)
}

mod base64 {
    //! Base64, as scripts have bytes that are no text.

    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    pub fn encode(bytes: &[u8]) -> String {
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(*group.get(at).unwrap_or(&0)));
            for digit in 0..4 {
                let value = bits >> (18 - 6 * digit) & 63;
                text.push(if digit <= group.len() { DIGITS[value as usize].into() } else { '=' });
            }
        }
        text
    }

    pub fn decode(text: &str) -> Vec<u8> {
        let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
        for value in text.bytes().filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte)) {
            bits = bits << 6 | value as u32;
            count += 6;
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count) as u8);
            }
        }
        bytes
    }
}

// What the host is told, and tells.

fn limits_of(given: &Value) -> Result<Limits, String> {
    let mut limits = Limits::default();
    for (name, value) in given.as_object().into_iter().flatten() {
        let limit = match name.as_str() {
            "inFlight" => &mut limits.in_flight,
            "budget" => &mut limits.budget,
            "runs" => &mut limits.runs,
            "argumentBytes" => &mut limits.argument_bytes,
            "resources" => &mut limits.resources,
            "bodyBytes" => &mut limits.body_bytes,
            "connections" => &mut limits.connections,
            "waitMs" => &mut limits.wait_ms,
            "redirects" => &mut limits.redirects,
            "traps" => &mut limits.traps,
            "idleBytes" => &mut limits.idle_bytes,
            "memoryBytes" => &mut limits.memory_bytes,
            _ => return Err(format!("there is no limit \"{name}\"")),
        };
        *limit = value.as_u64().unwrap_or(0) as u32;
    }
    Ok(limits)
}

fn report_of(report: &Report) -> Value {
    details([
        ("kind", Some(json!(report.kind.as_str()))),
        ("message", Some(json!(report.message))),
        ("operation", report.operation.clone().map(Value::from)),
        ("token", report.token.map(|token| json!([token.slot, token.generation]))),
        ("status", report.status.map(Value::from)),
        ("file", report.file.clone().map(Value::from)),
        ("line", report.line.map(Value::from)),
        ("column", report.column.map(Value::from)),
        ("request", report.request.clone().map(Value::from)),
    ])
}

fn counters_of(proactor: &Proactor) -> Value {
    let counters = proactor.counters();
    json!({
        "contexts": counters.contexts,
        "inFlight": counters.in_flight,
        "completed": counters.completed,
        "refused": counters.refused,
        "late": counters.late,
        "reclaimed": counters.reclaimed,
        "traps": counters.traps,
        "killed": counters.killed,
        "instances": counters.instances,
        "instantiated": counters.instantiated,
    })
}
