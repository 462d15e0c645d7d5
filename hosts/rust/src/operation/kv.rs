//! KV: reads, writes, removes and lists the keys of a granted namespace.

use std::sync::Arc;

use bytes::Bytes;

use super::{Outcome, Processor, Work};
use crate::abi::{
    KV_CACHE_TTL_SECONDS_MIN, KV_KEY_BYTES_MAX, KV_LIST_COUNT_MAX, KV_METADATA, KV_METADATA_BYTES_MAX, KV_SECONDS_MAX,
    KV_TTL_SECONDS_MIN, KV_VALUE_BYTES_MAX, Opcode, Status,
};
use crate::abort::Abort;
use crate::context::ContextId;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::kv::{AnyStore, GetOptions, ListOptions, Page, PutOptions, Rights, StoreError, Value};
use crate::pairs;
use crate::resource::Resource;
use crate::submission::Submission;

pub(crate) const GET: Processor = Processor { flags: KV_METADATA, ..Processor::new(Opcode::KvGet, "kv.get", get) };
pub(crate) const PUT: Processor = Processor::new(Opcode::KvPut, "kv.put", put);
pub(crate) const DELETE: Processor = Processor::new(Opcode::KvDelete, "kv.delete", delete);
pub(crate) const LIST: Processor = Processor::new(Opcode::KvList, "kv.list", list);

fn get(submission: &Submission<'_>, instance: &mut Instance, context: ContextId) -> Result<Work, Failure> {
    let store = store_of(submission, instance, context, Rights::READ, "read")?;
    let key = key_of(submission)?;
    let metadata = submission.flags & KV_METADATA != 0;
    let cache_ttl = seconds_of("cacheTtl", submission.arguments[0], KV_CACHE_TTL_SECONDS_MIN)?;
    let bytes_max = instance.host.limits.body_bytes;
    let call = store.get(key, GetOptions { cache_ttl, metadata });
    on_connection(instance, context, call, move |value| found(value, metadata, bytes_max))
}

/// Metadata, then value.
fn found(value: Option<Value>, wants_metadata: bool, bytes_max: u32) -> Result<Outcome, Failure> {
    let Some(Value { bytes, metadata }) = value else {
        return Err(Failure::new(Status::NotFound, "kv: there is no such key"));
    };
    if bytes.len() > bytes_max as usize {
        return Err(Failure::new(Status::TooBig, format!("kv: the value has more than {bytes_max} bytes")));
    }
    Ok(match metadata.filter(|metadata| wants_metadata && !metadata.is_null()) {
        None => Outcome { payload: bytes, ..Outcome::default() },
        Some(metadata) => {
            let mut payload = metadata.to_string().into_bytes();
            let auxiliary = payload.len() as u32;
            payload.extend(&bytes);
            Outcome { payload: payload.into(), auxiliary, ..Outcome::default() }
        }
    })
}

fn put(submission: &Submission<'_>, instance: &mut Instance, context: ContextId) -> Result<Work, Failure> {
    let store = store_of(submission, instance, context, Rights::WRITE, "write")?;
    let key = key_of(submission)?;
    let value = submission.data();
    check_bytes("a value", value.len(), KV_VALUE_BYTES_MAX)?;
    let now = u32::try_from(instance.host.platform.clock.now().as_secs()).unwrap_or(u32::MAX);
    let options = PutOptions {
        expiration: seconds_of("expiration", submission.arguments[0], now.saturating_add(KV_TTL_SECONDS_MIN))?,
        expiration_ttl: seconds_of("expirationTtl", submission.arguments[1], KV_TTL_SECONDS_MIN)?,
        metadata: metadata_of(submission)?,
    };
    let call = store.put(key, Bytes::copy_from_slice(value), options);
    on_connection(instance, context, call, |()| Ok(Outcome::default()))
}

fn delete(submission: &Submission<'_>, instance: &mut Instance, context: ContextId) -> Result<Work, Failure> {
    let store = store_of(submission, instance, context, Rights::WRITE, "write")?;
    let call = store.delete(key_of(submission)?);
    on_connection(instance, context, call, |()| Ok(Outcome::default()))
}

fn list(submission: &Submission<'_>, instance: &mut Instance, context: ContextId) -> Result<Work, Failure> {
    let store = store_of(submission, instance, context, Rights::LIST, "list")?;
    let limit = match submission.arguments[0] {
        0 => KV_LIST_COUNT_MAX,
        limit if limit <= KV_LIST_COUNT_MAX => limit,
        _ => return Err(Failure::invalid(format!("kv: a list has at most {KV_LIST_COUNT_MAX} keys"))),
    };
    check_bytes("a prefix", submission.name_bytes(), KV_KEY_BYTES_MAX)?;
    let prefix = submission.name()?.to_owned();
    let cursor = Some(submission.data_text()?.to_owned()).filter(|cursor| !cursor.is_empty());
    let call = store.list(ListOptions { prefix, limit, cursor });
    on_connection(instance, context, call, |page| Ok(listed(&page)))
}

/// Each key with its expiration in decimal digits (0: none), a space, and its metadata; then the cursor.
fn listed(Page { keys, cursor }: &Page) -> Outcome {
    let entry = |key: &crate::kv::Key| {
        let metadata = key.metadata.as_ref().filter(|metadata| !metadata.is_null());
        let metadata = metadata.map(ToString::to_string).unwrap_or_default();
        (key.name.clone(), format!("{} {metadata}", key.expiration.unwrap_or(0)))
    };
    let entries: Vec<_> = keys.iter().map(entry).collect();
    let cursor = cursor.as_deref().unwrap_or_default();
    let payload = pairs::encode(&entries, cursor.as_bytes()).into();
    Outcome { payload, auxiliary: keys.len() as u32, ..Outcome::default() }
}

/// The granted namespace. BadResource or NotPermitted if there is none.
fn store_of(
    submission: &Submission<'_>,
    instance: &Instance,
    context: ContextId,
    right: Rights,
    name: &str,
) -> Result<Arc<dyn AnyStore>, Failure> {
    let Some(Resource::Kv(grant)) = instance.resource(context, submission.resource) else {
        return Err(Failure::bad_resource(submission.resource, "kv"));
    };
    if !grant.rights.contain(right) {
        let message = format!("kv: the namespace was granted without \"{name}\"");
        return Err(Failure::new(Status::NotPermitted, message));
    }
    Ok(grant.store.clone())
}

fn key_of(submission: &Submission<'_>) -> Result<String, Failure> {
    check_bytes("a key", submission.name_bytes(), KV_KEY_BYTES_MAX)?;
    match submission.name()? {
        key @ ("" | "." | "..") => Err(Failure::invalid(format!("kv: \"{key}\" is no key"))),
        key => Ok(key.to_owned()),
    }
}

fn check_bytes(what: &str, bytes: usize, bytes_max: u32) -> Result<(), Failure> {
    if bytes <= bytes_max as usize {
        return Ok(());
    }
    Err(Failure::new(Status::TooBig, format!("kv: {what} has at most {bytes_max} bytes")))
}

/// Not every store refuses what the contract does, or says so in a way that can be understood.
fn seconds_of(what: &str, seconds: u32, least: u32) -> Result<Option<u32>, Failure> {
    match seconds {
        0 => Ok(None),
        seconds if (least..=KV_SECONDS_MAX).contains(&seconds) => Ok(Some(seconds)),
        _ => Err(Failure::invalid(format!("kv: {what} is {least} to {KV_SECONDS_MAX} seconds"))),
    }
}

fn metadata_of(submission: &Submission<'_>) -> Result<Option<serde_json::Value>, Failure> {
    check_bytes("metadata", submission.meta_bytes(), KV_METADATA_BYTES_MAX)?;
    match submission.meta_text()? {
        "" => Ok(None),
        text => {
            let parsed = serde_json::from_str(text);
            parsed.map(Some).map_err(|error| Failure::invalid(format!("kv: metadata is no JSON: {error}")))
        }
    }
}

/// One call of the store, on one of the context's connections.
fn on_connection<T: 'static>(
    instance: &mut Instance,
    context: ContextId,
    call: crate::platform::BoxFuture<Result<T, StoreError>>,
    outcome_of: impl FnOnce(T) -> Result<Outcome, Failure> + Send + 'static,
) -> Result<Work, Failure> {
    let connections = instance.connections(context);
    let abort = Abort::default();
    Work::later(abort.clone(), async move {
        let connection = connections.take(&abort).await?;
        let result = call.await;
        drop(connection);
        outcome_of(result.map_err(failure_of)?)
    })
}

fn failure_of(error: StoreError) -> Failure {
    let status = match error {
        StoreError::RateLimited(_) => Status::RateLimited,
        StoreError::Quota(_) => Status::Quota,
        StoreError::TooBig(_) => Status::TooBig,
        StoreError::Invalid(_) => Status::Invalid,
        StoreError::Failed(_) => Status::Failed,
    };
    Failure::new(status, error.to_string())
}
