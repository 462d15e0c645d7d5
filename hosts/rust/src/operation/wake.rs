//! Wake: completes a wait, in whichever request that is.

use super::{Outcome, Processor, Work};
use crate::abi::Opcode;
use crate::context::ContextId;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::submission::Submission;

pub(crate) const WAKE: Processor = Processor {
    relieves: Some(|submission, instance, context| waiter(submission, instance, context).is_some()),
    ..Processor::new(Opcode::Wake, "wake", wake)
};

/// Where the wait is in flight: in the same context, or else in the oldest that has it.
fn waiter(submission: &Submission<'_>, instance: &Instance, context: ContextId) -> Option<(ContextId, u32)> {
    let [slot, generation, _] = submission.arguments;
    let id = instance.find(context, slot, generation)?;
    let operation = instance.context(id)?.find(slot, generation)?;
    (operation.origin.opcode == Opcode::Wait as u32).then_some((id, slot))
}

fn wake(submission: &Submission<'_>, instance: &mut Instance, context: ContextId) -> Result<Work, Failure> {
    if let Some((id, slot)) = waiter(submission, instance, context) {
        instance.succeed(id, slot, Outcome::default());
        if id != context {
            instance.call(id);
        }
    }
    Work::done()
}
