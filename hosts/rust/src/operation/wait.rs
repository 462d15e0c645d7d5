//! Wait: completes when another operation wakes it.

use std::time::Duration;

use super::{Processor, Work};
use crate::abi::Opcode;

/// Nobody waits for ever.
pub(crate) const WAIT: Processor = Processor::new(Opcode::Wait, "wait", |_, instance, _| {
    Ok(Work::Held(Some(Duration::from_millis(instance.host.limits.wait_ms.into()))))
});
