"""Cancel: ends another operation; the answer says whether it came in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..abi import CancelResult, Status
from ..operation import BaseProcessor, Operation, Outcome, Work

if TYPE_CHECKING:
    from ..context import Context
    from ..submission import Submission


def _victim(submission: Submission, context: Context) -> Operation | None:
    """The operation to end: one of the same context, or the instance's accept."""
    slot, generation = submission.argument_0, submission.argument_1
    return context.find(slot, generation) or context.instance.context.find(slot, generation)


class Cancel(BaseProcessor):
    name = "cancel"
    relieves = True

    def decode(self, submission: Submission, context: Context) -> Work:
        victim = _victim(submission, context)
        # What is not in flight here has completed; the guest's own mark then decides what its handler sees.
        if victim is None:
            return lambda _operation: Outcome(auxiliary=CancelResult.TOO_LATE)

        def cancel(_operation: Operation) -> Outcome:
            victim.end(Status.CANCELLED, "the guest cancelled it")
            return Outcome(auxiliary=CancelResult.WON)

        return cancel

    def makes_room(self, submission: Submission, context: Context) -> bool:
        return _victim(submission, context) is not None
