//! Noop: completes on the next turn and does nothing else.

use super::{Processor, Work};
use crate::abi::Opcode;

pub(crate) const NOOP: Processor = Processor::new(Opcode::Noop, "noop", |_, _, _| Work::done());
