//! Accept: completes once for each incoming event, until it is cancelled.

use super::{Origin, Processor, Work};
use crate::abi::{ACCEPT_HEADERS, EventKind, Opcode, Status};
use crate::context::ContextId;
use crate::failure::Failure;
use crate::instance::{Accept, Instance};
use crate::submission::Submission;

pub(crate) const ACCEPT: Processor =
    Processor { of_instance: true, flags: ACCEPT_HEADERS, ..Processor::new(Opcode::Accept, "accept", accept) };

fn accept(submission: &Submission<'_>, instance: &mut Instance, _: ContextId) -> Result<Work, Failure> {
    if submission.arguments[0] != EventKind::Fetch as u32 {
        return Err(Failure::new(Status::NotSupported, "accept: this host has events of kind fetch only"));
    }
    if submission.deadline_ms != 0 {
        return Err(Failure::invalid("accept: has no deadline"));
    }
    if let Accept::Open { .. } = instance.accept {
        return Err(Failure::invalid("accept: one is in flight already; call serve() once"));
    }
    let wants_headers = submission.flags & ACCEPT_HEADERS != 0;
    instance.accept = Accept::Open { origin: Origin::of(submission), wants_headers };
    Ok(Work::Held(None))
}
