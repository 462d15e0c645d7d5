//! Cancel: ends another operation; the answer says whether it came in time.

use super::{Outcome, Processor, Work};
use crate::abi::{CancelResult, Opcode, Status};
use crate::context::ContextId;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::submission::Submission;

pub(crate) const CANCEL: Processor = Processor {
    relieves: Some(|submission, instance, context| victim(submission, instance, context).is_some()),
    ..Processor::new(Opcode::Cancel, "cancel", cancel)
};

/// Where the operation to end is in flight: in the same context, or in the instance's if it is the accept.
fn victim(submission: &Submission<'_>, instance: &Instance, context: ContextId) -> Option<(ContextId, u32)> {
    let [slot, generation, _] = submission.arguments;
    [context, ContextId::INSTANCE].into_iter().find_map(|id| {
        instance.context(id)?.find(slot, generation)?;
        Some((id, slot))
    })
}

fn cancel(submission: &Submission<'_>, instance: &mut Instance, context: ContextId) -> Result<Work, Failure> {
    // What is not in flight here has completed; the guest's own mark then decides what its handler sees.
    let result = match victim(submission, instance, context) {
        Some((id, slot)) => {
            instance.end(id, slot, Status::Cancelled, "the guest cancelled it");
            CancelResult::Won
        }
        None => CancelResult::TooLate,
    };
    Ok(Work::Done(Outcome { auxiliary: result as u32, ..Outcome::default() }))
}
