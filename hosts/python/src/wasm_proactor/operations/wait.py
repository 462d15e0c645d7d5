"""Wait: completes when another operation wakes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..operation import BaseProcessor, Work

if TYPE_CHECKING:
    from ..context import Context
    from ..submission import Submission


class Wait(BaseProcessor):
    name = "wait"

    def decode(self, _submission: Submission, context: Context) -> Work:
        # Nobody waits for ever.
        return lambda operation: operation.set_deadline(context.host.limits.wait_ms)
