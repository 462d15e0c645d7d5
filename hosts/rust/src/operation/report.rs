//! Report: tells the host's owner of a failure that nobody else will hear of.

use super::{Processor, Work};
use crate::abi::{Opcode, REPORT_DROPPED};
use crate::context::ContextId;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::report::{Report, ReportKind, Token};
use crate::submission::Submission;

/// Characters of each text that the owner gets to see.
const TEXT_MAX: usize = 1024;

pub(crate) const REPORT: Processor =
    Processor { flags: REPORT_DROPPED, tells: true, ..Processor::new(Opcode::Report, "report", report) };

fn report(submission: &Submission<'_>, instance: &mut Instance, context: ContextId) -> Result<Work, Failure> {
    let [status, slot, generation] = submission.arguments;
    let is_dropped = submission.flags & REPORT_DROPPED != 0;
    let kind = if is_dropped { ReportKind::Dropped } else { ReportKind::Unhandled };
    let report = Report {
        operation: Some(submission.name()?.chars().take(TEXT_MAX).collect()),
        token: Some(Token { slot, generation }),
        status: Some(status as i32),
        request: Some(instance.title(context)),
        ..Report::new(kind, submission.data_text()?.chars().take(TEXT_MAX).collect::<String>())
    };
    instance.host.report(&report);
    Work::done()
}
