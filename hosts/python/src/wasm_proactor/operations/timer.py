"""Timer: completes once, no earlier than the given number of milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..abi import TIMER_MS_MAX, Status
from ..failure import Failure
from ..operation import BaseProcessor, Work

if TYPE_CHECKING:
    from ..context import Context
    from ..submission import Submission


class Timer(BaseProcessor):
    name = "timer"

    def decode(self, submission: Submission, _context: Context) -> Work:
        ms = submission.argument_0
        if ms > TIMER_MS_MAX:
            raise Failure(Status.INVALID, f"timer: at most {TIMER_MS_MAX} ms")
        return lambda operation: operation.complete_after(ms)
