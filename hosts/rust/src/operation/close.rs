//! Close: gives a resource back; what is in flight on it ends as Cancelled.

use super::{Processor, Work};
use crate::abi::{Opcode, Status};
use crate::context::ContextId;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::resource::Resource;
use crate::submission::Submission;

pub(crate) const CLOSE: Processor = Processor {
    // Not of a grant: a guest could open and close one for ever, and each Close would have to wait for its completion.
    relieves: Some(|submission, instance, context| {
        let resource = instance.resource(context, submission.resource);
        matches!(resource, Some(Resource::Exchange(_) | Resource::Body(_)))
    }),
    ..Processor::new(Opcode::Close, "close", close)
};

fn close(submission: &Submission<'_>, instance: &mut Instance, context: ContextId) -> Result<Work, Failure> {
    let number = submission.resource;
    // A grant outlives the request, so a request cannot give it back: the next one would miss it.
    if !instance.context(context).is_some_and(|context| context.resources.contains_key(&number)) {
        return Err(match instance.resource(context, number) {
            Some(_) => Failure::new(Status::NotPermitted, "close: a grant cannot be closed"),
            None => Failure::new(Status::BadResource, "close: no such resource here"),
        });
    }
    instance.close_resource(context, number);
    Work::done()
}
