//! Timer: completes once, no earlier than the given number of milliseconds.

use std::time::Duration;

use super::{Processor, Work};
use crate::abi::{Opcode, TIMER_MS_MAX};
use crate::failure::Failure;

pub(crate) const TIMER: Processor = Processor::new(Opcode::Timer, "timer", |submission, _, _| {
    let [ms, ..] = submission.arguments;
    if ms > TIMER_MS_MAX {
        return Err(Failure::invalid(format!("timer: at most {TIMER_MS_MAX} ms")));
    }
    Ok(Work::After(Duration::from_millis(ms.into())))
});
