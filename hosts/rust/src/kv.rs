//! KV: what a namespace needs of a store, and the store that ends with the process.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::Value as Json;

use crate::platform::BoxFuture;

/// A store of keys and values. Implement it to grant a guest a database of your own; the methods may be `async fn`s.
///
/// A call that has begun is not dropped when the guest cancels it: its result is then thrown away.
pub trait Store: Send + Sync + 'static {
    /// Reads a value; none if there is no such key.
    fn get(&self, key: &str, options: GetOptions) -> impl Future<Output = Result<Option<Value>, StoreError>> + Send;
    /// Writes a value.
    fn put(&self, key: &str, value: Bytes, options: PutOptions) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Removes a key, if it is there.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Lists keys in the order of their UTF-8 bytes.
    fn list(&self, options: ListOptions) -> impl Future<Output = Result<Page, StoreError>> + Send;
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetOptions {
    /// Seconds that a cache may serve the value; none for the store's default.
    pub cache_ttl: Option<u32>,
    /// Whether the metadata is wanted.
    pub metadata: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PutOptions {
    /// When the key ends, in seconds since 1970.
    pub expiration: Option<u32>,
    /// How long it lives, in seconds; goes before `expiration`.
    pub expiration_ttl: Option<u32>,
    pub metadata: Option<Json>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListOptions {
    /// What the keys start with; empty for all.
    pub prefix: String,
    /// Keys on a page at most.
    pub limit: u32,
    /// Where the previous page ended.
    pub cursor: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub bytes: Bytes,
    pub metadata: Option<Json>,
}

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub keys: Vec<Key>,
    /// Where the next page begins; none if this is the last.
    pub cursor: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub name: String,
    /// Seconds since 1970.
    pub expiration: Option<u32>,
    pub metadata: Option<Json>,
}

/// Why a store did not do what it was asked. Each becomes a status of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It wants fewer calls, or fewer writes to this key.
    #[error("{0}")]
    RateLimited(String),
    /// It is full, or the allowance is used up.
    #[error("{0}")]
    Quota(String),
    /// It calls something too large.
    #[error("{0}")]
    TooBig(String),
    /// It calls the arguments wrong.
    #[error("{0}")]
    Invalid(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// What a guest may do with a KV namespace: `Rights::READ | Rights::LIST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    pub const NONE: Self = Self(0);
    pub const READ: Self = Self(1);
    pub const WRITE: Self = Self(2);
    pub const LIST: Self = Self(4);
    pub const ALL: Self = Self(7);

    /// Whether all of `other` are among these.
    pub fn contain(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for Rights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A [`Store`] of any type. Its calls own what they need, since they may outlive the request.
pub(crate) trait AnyStore: Send + Sync {
    fn get(self: Arc<Self>, key: String, options: GetOptions) -> BoxFuture<Result<Option<Value>, StoreError>>;
    fn put(self: Arc<Self>, key: String, value: Bytes, options: PutOptions) -> BoxFuture<Result<(), StoreError>>;
    fn delete(self: Arc<Self>, key: String) -> BoxFuture<Result<(), StoreError>>;
    fn list(self: Arc<Self>, options: ListOptions) -> BoxFuture<Result<Page, StoreError>>;
}

impl<S: Store> AnyStore for S {
    fn get(self: Arc<Self>, key: String, options: GetOptions) -> BoxFuture<Result<Option<Value>, StoreError>> {
        Box::pin(async move { Store::get(&*self, &key, options).await })
    }

    fn put(self: Arc<Self>, key: String, value: Bytes, options: PutOptions) -> BoxFuture<Result<(), StoreError>> {
        Box::pin(async move { Store::put(&*self, &key, value, options).await })
    }

    fn delete(self: Arc<Self>, key: String) -> BoxFuture<Result<(), StoreError>> {
        Box::pin(async move { Store::delete(&*self, &key).await })
    }

    fn list(self: Arc<Self>, options: ListOptions) -> BoxFuture<Result<Page, StoreError>> {
        Box::pin(async move { Store::list(&*self, options).await })
    }
}

/// A store that others use too.
impl<S: Store> Store for Arc<S> {
    async fn get(&self, key: &str, options: GetOptions) -> Result<Option<Value>, StoreError> {
        Store::get(&**self, key, options).await
    }

    async fn put(&self, key: &str, value: Bytes, options: PutOptions) -> Result<(), StoreError> {
        Store::put(&**self, key, value, options).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        Store::delete(&**self, key).await
    }

    async fn list(&self, options: ListOptions) -> Result<Page, StoreError> {
        Store::list(&**self, options).await
    }
}

/// Seconds since 1970.
pub(crate) fn seconds_now() -> u32 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs().try_into().unwrap_or(u32::MAX)
}

impl PutOptions {
    /// When the key ends, in seconds since 1970.
    pub(crate) fn ends(&self, now: u32) -> Option<u32> {
        self.expiration_ttl.map(|ttl| now.saturating_add(ttl)).or(self.expiration)
    }
}

/// Where a list begins: behind the last page, and not before the prefix.
pub(crate) fn list_start(options: &ListOptions) -> Bound<&str> {
    match options.cursor.as_deref() {
        Some(cursor) if cursor >= options.prefix.as_str() => Bound::Excluded(cursor),
        _ => Bound::Included(&options.prefix),
    }
}

impl Page {
    /// A page of at most `limit` of these keys, which may be one more than that.
    pub(crate) fn of(mut keys: Vec<Key>, limit: u32) -> Self {
        let is_last = keys.len() <= limit as usize;
        keys.truncate(limit as usize);
        let cursor = if is_last { None } else { keys.last().map(|key| key.name.clone()) };
        Self { keys, cursor }
    }
}

struct Entry {
    value: Value,
    /// Seconds since 1970.
    ends: Option<u32>,
}

impl Entry {
    fn lives(&self, now: u32) -> bool {
        self.ends.is_none_or(|ends| ends > now)
    }
}

/// A namespace that ends with the process.
#[derive(Default)]
pub struct MemoryStore {
    entries: Mutex<BTreeMap<String, Entry>>,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn with<R>(&self, use_entries: impl FnOnce(&mut BTreeMap<String, Entry>) -> R) -> R {
        use_entries(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for MemoryStore {
    async fn get(&self, key: &str, _: GetOptions) -> Result<Option<Value>, StoreError> {
        Ok(self.with(|entries| match entries.get(key) {
            Some(entry) if entry.ends.is_none() || entry.lives(seconds_now()) => Some(entry.value.clone()),
            Some(_) => {
                entries.remove(key);
                None
            }
            None => None,
        }))
    }

    async fn put(&self, key: &str, bytes: Bytes, options: PutOptions) -> Result<(), StoreError> {
        let ends = options.ends(seconds_now());
        let value = Value { bytes, metadata: options.metadata };
        self.with(|entries| entries.insert(key.to_owned(), Entry { value, ends }));
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.with(|entries| entries.remove(key));
        Ok(())
    }

    async fn list(&self, options: ListOptions) -> Result<Page, StoreError> {
        let now = seconds_now();
        let keys = self.with(|entries| {
            entries
                .range::<str, _>((list_start(&options), Bound::Unbounded))
                .take_while(|(name, _)| name.starts_with(&options.prefix))
                .filter(|(_, entry)| entry.lives(now))
                .take(options.limit as usize + 1)
                .map(|(name, Entry { value, ends })| Key {
                    name: name.clone(),
                    expiration: *ends,
                    metadata: value.metadata.clone(),
                })
                .collect()
        });
        Ok(Page::of(keys, options.limit))
    }
}
