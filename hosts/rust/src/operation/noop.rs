//! Noop: completes on the next turn and does nothing else.

use super::{Processor, Work};

pub(crate) const NOOP: Processor = Processor::new("noop", |_, _, _| Work::done());
