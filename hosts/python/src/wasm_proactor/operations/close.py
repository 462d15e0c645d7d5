"""Close: gives a resource back; what is in flight on it ends as Cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..abi import Status
from ..failure import Failure
from ..operation import BaseProcessor, Operation, Outcome, Work
from ..resource import Exchange, FetchedBody

if TYPE_CHECKING:
    from ..context import Context
    from ..submission import Submission


class Close(BaseProcessor):
    name = "close"
    relieves = True

    def decode(self, submission: Submission, context: Context) -> Work:
        number = submission.resource
        # A grant outlives the request, so a request cannot give it back: the next one would miss it.
        if not context.owns(number):
            if context.resource(number):
                raise Failure(Status.NOT_PERMITTED, "close: a grant cannot be closed")
            raise Failure(Status.BAD_RESOURCE, "close: no such resource here")

        def close(_operation: Operation) -> Outcome:
            context.close_resource(number)
            return Outcome()

        return close

    def makes_room(self, submission: Submission, context: Context) -> bool:
        # Not of a grant: a guest could open and close one for ever, and each Close would wait for its completion.
        return isinstance(context.resource(submission.resource), Exchange | FetchedBody)
