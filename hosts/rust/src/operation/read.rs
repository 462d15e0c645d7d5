//! Read: brings the whole body of a request or a response into the guest.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use super::{Outcome, Processor, Work};
use crate::Body;
use crate::abi::{Opcode, Status};
use crate::abort::Abort;
use crate::context::ContextId;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::submission::Submission;

pub(crate) const READ: Processor = Processor::new(Opcode::Read, "read", read);

fn read(submission: &Submission<'_>, instance: &mut Instance, context: ContextId) -> Result<Work, Failure> {
    let bytes_max = instance.body_bytes_max(submission.arguments[0]);
    let body = instance.take_body(context, submission.resource)?;
    let abort = Abort::default();
    Work::later(abort.clone(), async move {
        let payload = read_body(body, bytes_max, &abort).await?;
        Ok(Outcome { payload, ..Outcome::default() })
    })
}

/// Reads a body to its end. TooBig, and lets go of the rest, as soon as it has more than `bytes_max` bytes.
pub(super) async fn read_body(body: Body, bytes_max: u32, abort: &Abort) -> Result<Bytes, Failure> {
    let whole = abort.or(collect(body, bytes_max)).await;
    whole.unwrap_or_else(|| Err(Failure::new(Status::Aborted, "nobody wants the body")))
}

async fn collect(mut body: Body, bytes_max: u32) -> Result<Bytes, Failure> {
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::new(Status::Aborted, format!("the body broke off: {error}")))?;
        let Ok(chunk) = frame.into_data() else { continue };
        if first.len() + whole.len() + chunk.len() > bytes_max as usize {
            return Err(Failure::new(Status::TooBig, format!("the body has more than {bytes_max} bytes")));
        }
        // Most bodies come in one piece, and need no copy.
        if first.is_empty() && whole.is_empty() {
            first = chunk;
        } else {
            whole.extend(std::mem::take(&mut first));
            whole.extend(chunk);
        }
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}
