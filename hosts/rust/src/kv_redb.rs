//! KV in a file, by redb: an embedded store in Rust alone, with transactions, that needs no server.
//!
//! Reads happen where they are asked for: they come from the page cache, and cost less than a hop to another thread.
//! Writes wait for the disk, and do so on the threads that tokio keeps for what blocks.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use redb::{Database, ReadableDatabase, TableDefinition};

use crate::kv::{GetOptions, Key, ListOptions, Page, PutOptions, Store, StoreError, Value, list_start, seconds_now};

/// When the key ends in seconds since 1970 (0: never), its metadata as JSON (empty: none), its value.
type Row<'a> = (u32, &'a str, &'a [u8]);

const TABLE: TableDefinition<&str, Row<'static>> = TableDefinition::new("kv");

/// A namespace in a file, which is made if it is not there. One process at a time may have it open.
#[derive(Clone)]
pub struct RedbStore {
    database: Arc<Database>,
}

impl RedbStore {
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let database = Database::create(path).map_err(failed)?;
        // So that a read never finds no table.
        let transaction = database.begin_write().map_err(failed)?;
        transaction.open_table(TABLE).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(Self { database: Arc::new(database) })
    }

    fn read(&self) -> Result<redb::ReadOnlyTable<&'static str, Row<'static>>, StoreError> {
        self.database.begin_read().map_err(failed)?.open_table(TABLE).map_err(failed)
    }

    /// Changes the table in one transaction.
    async fn write<F>(&self, change: F) -> Result<(), StoreError>
    where
        F: FnOnce(&mut redb::Table<'_, &'static str, Row<'static>>) -> Result<(), redb::StorageError> + Send + 'static,
    {
        let database = self.database.clone();
        let write = move || {
            let transaction = database.begin_write().map_err(failed)?;
            change(&mut transaction.open_table(TABLE).map_err(failed)?).map_err(failed)?;
            transaction.commit().map_err(failed)
        };
        tokio::task::spawn_blocking(write).await.map_err(failed)?
    }
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Failed(error.to_string())
}

fn lives(ends: u32, now: u32) -> bool {
    ends == 0 || ends > now
}

fn metadata_of(text: &str) -> Result<Option<serde_json::Value>, StoreError> {
    if text.is_empty() { Ok(None) } else { serde_json::from_str(text).map(Some).map_err(failed) }
}

impl Store for RedbStore {
    async fn get(&self, key: &str, options: GetOptions) -> Result<Option<Value>, StoreError> {
        let Some(row) = self.read()?.get(key).map_err(failed)? else { return Ok(None) };
        let (ends, metadata, bytes) = row.value();
        if !lives(ends, seconds_now()) {
            return Ok(None);
        }
        let metadata = if options.metadata { metadata_of(metadata)? } else { None };
        Ok(Some(Value { bytes: Bytes::copy_from_slice(bytes), metadata }))
    }

    async fn put(&self, key: &str, value: Bytes, options: PutOptions) -> Result<(), StoreError> {
        let key = key.to_owned();
        let ends = options.ends(seconds_now()).unwrap_or(0);
        let metadata = options.metadata.map(|json| json.to_string()).unwrap_or_default();
        self.write(move |table| {
            table.insert(&*key, (ends, &*metadata, &*value))?;
            Ok(())
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let key = key.to_owned();
        self.write(move |table| {
            table.remove(&*key)?;
            Ok(())
        })
        .await
    }

    async fn list(&self, options: ListOptions) -> Result<Page, StoreError> {
        let now = seconds_now();
        let mut keys = Vec::new();
        let table = self.read()?;
        let range = table.range::<&str>((list_start(&options), std::ops::Bound::Unbounded)).map_err(failed)?;
        for entry in range {
            let (name, row) = entry.map_err(failed)?;
            if !name.value().starts_with(&options.prefix) || keys.len() > options.limit as usize {
                break;
            }
            let (ends, metadata, _) = row.value();
            if lives(ends, now) {
                let expiration = (ends != 0).then_some(ends);
                keys.push(Key { name: name.value().to_owned(), expiration, metadata: metadata_of(metadata)? });
            }
        }
        Ok(Page::of(keys, options.limit))
    }
}
