//! Respond: answers an exchange, once.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{Processor, Work};
use crate::Body;
use crate::abi::{Opcode, RESPOND_FORWARD, Status};
use crate::context::ContextId;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::pairs::headers_of;
use crate::resource::Resource;
use crate::submission::Submission;

pub(crate) const RESPOND: Processor = Processor {
    flags: RESPOND_FORWARD,
    relieves: Some(|submission, instance, context| {
        let resource = instance.resource(context, submission.resource);
        matches!(resource, Some(Resource::Exchange(exchange)) if !exchange.answered)
    }),
    ..Processor::new(Opcode::Respond, "respond", respond)
};

fn respond(submission: &Submission<'_>, instance: &mut Instance, context: ContextId) -> Result<Work, Failure> {
    match instance.resource(context, submission.resource) {
        Some(Resource::Exchange(exchange)) if !exchange.answered => {}
        Some(Resource::Exchange(_)) => {
            return Err(Failure::new(Status::Closed, "respond: the exchange was answered before"));
        }
        _ => return Err(Failure::bad_resource(submission.resource, "exchange")),
    }
    instance.check_source(context, submission, submission.arguments[1])?;
    let is_forward = submission.flags & RESPOND_FORWARD != 0;
    let response = if is_forward { forward } else { build }(submission, instance, context)?;
    instance.answer(context, submission.resource, response);
    Work::done()
}

fn build(submission: &Submission<'_>, instance: &mut Instance, context: ContextId) -> Result<Response<Body>, Failure> {
    let [status, source, _] = submission.arguments;
    let headers = headers_of(&submission.meta_pairs()?)?;
    let code = u16::try_from(status).ok().filter(|code| (200..=599).contains(code));
    let Some(code) = code.and_then(|code| StatusCode::from_u16(code).ok()) else {
        return Err(Failure::invalid(format!("respond: {status} is no status from 200 to 599")));
    };
    let has_body = source != 0 || !submission.data().is_empty();
    if has_body && matches!(status, 204 | 205 | 304) {
        return Err(Failure::invalid(format!("respond: a response with status {status} has no body")));
    }
    // Last: what is refused has taken nothing.
    let body = match source {
        0 => Bytes::copy_from_slice(submission.data()).into(),
        source => instance.take_body(context, source)?,
    };
    let mut response = Response::new(body);
    *response.status_mut() = code;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The upstream's response as it is, with headers appended.
fn forward(
    submission: &Submission<'_>,
    instance: &mut Instance,
    context: ContextId,
) -> Result<Response<Body>, Failure> {
    let number = submission.arguments[1];
    if !matches!(instance.resource(context, number), Some(Resource::Body(_))) {
        let message =
            "respond: only a response whose body stays on the host can be forwarded: fetch it without withBody()";
        return Err(Failure::new(Status::BadResource, message));
    }
    let added = headers_of(&submission.meta_pairs()?)?;
    let mut response = instance.take_response(context, number)?;
    for (name, value) in &added {
        response.headers_mut().append(name.clone(), value.clone());
    }
    Ok(response)
}
