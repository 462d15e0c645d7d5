//! Futures over the promises of the host, as a Worker in Rust has them.

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = operations)]
    async fn nothing();
    #[wasm_bindgen(js_namespace = operations)]
    async fn sleep();
    #[wasm_bindgen(js_namespace = operations)]
    async fn read() -> ArrayBuffer;
}

/// Rounds of `batch` operations at once, until there were `count`.
#[wasm_bindgen]
pub async fn noop(count: u32, batch: u32) -> u32 {
    let mut done = 0;
    while done < count {
        done += join_all((0..batch).map(|_| nothing())).await.len() as u32;
    }
    done
}

/// One after the other.
#[wasm_bindgen]
pub async fn chain(count: u32) -> u32 {
    let mut done = 0;
    for _ in 0..count {
        nothing().await;
        done += 1;
    }
    done
}

/// As many in flight at all times as there may be.
#[wasm_bindgen]
pub async fn pummel(count: u32, in_flight: usize) -> u32 {
    let operations = stream::iter(0..count).map(|_| nothing());
    operations.buffer_unordered(in_flight).count().await as u32
}

/// One operation of a millisecond after the other.
#[wasm_bindgen]
pub async fn latency(count: u32) -> u32 {
    let mut done = 0;
    for _ in 0..count {
        sleep().await;
        done += 1;
    }
    done
}

/// Rounds of `size` reads at once; returns how many have found what they must.
#[wasm_bindgen]
pub async fn reads(count: u32, size: u32) -> u32 {
    let mut right = 0;
    for _ in 0..count / size {
        let values = join_all((0..size).map(|_| read())).await;
        right += values
            .iter()
            .filter(|value| Uint8Array::new(value).to_vec().len() == 8)
            .count() as u32;
    }
    right
}
