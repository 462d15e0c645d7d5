"""Read: brings the whole body of a request or a response into the guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..message import Body
from ..operation import BaseProcessor, Outcome, Work
from ..resource import read_body

if TYPE_CHECKING:
    from ..context import Context
    from ..submission import Submission


class Read(BaseProcessor):
    name = "read"

    def decode(self, submission: Submission, context: Context) -> Work:
        bytes_max = context.body_bytes_max(submission.argument_0)
        body = context.body_of(submission.resource).take_body()
        return lambda _operation: _read(body, bytes_max)


async def _read(body: Body, bytes_max: int) -> Outcome:
    return Outcome(payload=await read_body(body, bytes_max))
