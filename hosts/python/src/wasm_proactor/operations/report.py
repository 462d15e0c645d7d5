"""Report: tells the host's owner of a failure that nobody else will hear of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..abi import REPORT_DROPPED
from ..operation import BaseProcessor, Outcome, Work
from ..report import ErrorReport, Token

if TYPE_CHECKING:
    from ..context import Context
    from ..submission import Submission

# Characters of each text that the owner gets to see.
_TEXT_LENGTH_MAX = 1024


class Report(BaseProcessor):
    name = "report"
    flags = REPORT_DROPPED
    tells = True

    def decode(self, submission: Submission, context: Context) -> Work:
        status = submission.argument_0
        context.host.report(
            ErrorReport(
                kind="dropped" if submission.flags & REPORT_DROPPED else "unhandled",
                message=submission.data_text()[:_TEXT_LENGTH_MAX],
                operation=submission.name()[:_TEXT_LENGTH_MAX],
                token=Token(submission.argument_1, submission.argument_2),
                status=status if status < 0x8000_0000 else status - 0x1_0000_0000,
                request=context.title,
            )
        )
        return lambda _operation: Outcome()
