//! Futures over the promises of the host, as a Worker in Rust has them.

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = operations)]
    async fn nothing();
    #[wasm_bindgen(js_namespace = operations)]
    async fn sleep();
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
