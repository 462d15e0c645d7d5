//! Wait: completes when another operation wakes it.

use std::time::Duration;

use super::{Processor, Work};

/// Nobody waits for ever.
pub(crate) const WAIT: Processor = Processor::new("wait", |_, instance, _| {
    Ok(Work::Held(Some(Duration::from_millis(instance.host.limits.wait_ms.into()))))
});
