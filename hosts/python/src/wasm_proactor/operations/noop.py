"""Noop: completes on the next turn and does nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..operation import BaseProcessor, Outcome, Work

if TYPE_CHECKING:
    from ..context import Context
    from ..submission import Submission


class Noop(BaseProcessor):
    name = "noop"

    def decode(self, _submission: Submission, _context: Context) -> Work:
        return lambda _operation: Outcome()
