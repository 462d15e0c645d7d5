//! Stores: the one in memory and the one in a file do the same.

use bytes::Bytes;
use serde_json::json;
use wasm_proactor::{GetOptions, ListOptions, MemoryStore, PutOptions, RedbStore, Store, Value};

async fn put(store: &impl Store, key: &str, options: PutOptions) {
    store.put(key, Bytes::from(format!("value of {key}")), options).await.unwrap();
}

async fn names(store: &impl Store, prefix: &str, limit: u32, cursor: Option<&str>) -> (Vec<String>, Option<String>) {
    let options = ListOptions { prefix: prefix.to_owned(), limit, cursor: cursor.map(str::to_owned) };
    let page = store.list(options).await.unwrap();
    (page.keys.into_iter().map(|key| key.name).collect(), page.cursor)
}

async fn check(store: &impl Store) {
    let wanted = GetOptions { metadata: true, ..GetOptions::default() };
    assert_eq!(store.get("a", wanted.clone()).await.unwrap(), None);
    let metadata = Some(json!({ "z": 1, "a": [null] }));
    put(store, "a", PutOptions { metadata: metadata.clone(), ..PutOptions::default() }).await;
    let value = Value { bytes: Bytes::from("value of a"), metadata };
    assert_eq!(store.get("a", wanted.clone()).await.unwrap(), Some(value));
    put(store, "a", PutOptions::default()).await;
    assert_eq!(store.get("a", wanted).await.unwrap().unwrap().metadata, None);

    for key in ["a/3", "a/1", "a/2", "b", "a/😀", "a/～"] {
        put(store, key, PutOptions::default()).await;
    }
    put(store, "a/gone", PutOptions { expiration: Some(1), ..PutOptions::default() }).await;
    assert_eq!(store.get("a/gone", GetOptions::default()).await.unwrap(), None);
    let (page, cursor) = names(store, "a/", 2, None).await;
    assert_eq!((page.as_slice(), cursor.as_deref()), (["a/1", "a/2"].map(str::to_owned).as_slice(), Some("a/2")));
    let (page, cursor) = names(store, "a/", 3, cursor.as_deref()).await;
    assert_eq!((page.as_slice(), cursor), (["a/3", "a/～", "a/😀"].map(str::to_owned).as_slice(), None));
    assert_eq!(names(store, "a/", 9, Some("a")).await.0.len(), 5);
    assert_eq!(names(store, "c", 9, None).await, (vec![], None));

    store.delete("a/1").await.unwrap();
    store.delete("a/1").await.unwrap();
    assert_eq!(names(store, "", 9, None).await.0, ["a", "a/2", "a/3", "a/～", "a/😀", "b"]);

    put(store, "lives", PutOptions { expiration_ttl: Some(60), ..PutOptions::default() }).await;
    let page = store.list(ListOptions { prefix: "lives".to_owned(), limit: 1, cursor: None }).await.unwrap();
    assert!(page.keys[0].expiration.is_some_and(|seconds| seconds > 1_700_000_000), "{page:?}");
}

#[tokio::test]
async fn a_namespace_in_memory_keeps_what_it_is_given() {
    check(&MemoryStore::new()).await;
}

#[tokio::test]
async fn a_namespace_in_a_file_keeps_it_longer() {
    let path = std::env::temp_dir().join(format!("wasm-proactor-kv-{}.redb", std::process::id()));
    check(&RedbStore::open(&path).unwrap()).await;
    let store = RedbStore::open(&path).unwrap();
    assert_eq!(names(&store, "a/", 9, None).await.0.len(), 4);
    drop(store);
    std::fs::remove_file(path).unwrap();
}
