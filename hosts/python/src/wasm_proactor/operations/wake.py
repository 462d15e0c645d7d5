"""Wake: completes a wait, in whichever request that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..abi import Opcode
from ..operation import BaseProcessor, Operation, Outcome, Work

if TYPE_CHECKING:
    from ..context import Context
    from ..submission import Submission


def _waiter(submission: Submission, context: Context) -> Operation | None:
    slot, generation = submission.argument_0, submission.argument_1
    operation = context.find(slot, generation) or context.host.find(context.instance, slot, generation)
    return operation if operation and operation.opcode == Opcode.WAIT else None


class Wake(BaseProcessor):
    name = "wake"
    relieves = True

    def decode(self, submission: Submission, context: Context) -> Work:
        waiter = _waiter(submission, context)

        def wake(_operation: Operation) -> Outcome:
            if waiter:
                waiter.succeed(Outcome())
            return Outcome()

        return wake

    def makes_room(self, submission: Submission, context: Context) -> bool:
        return _waiter(submission, context) is not None
