"""Accept: completes once for each incoming event, until it is cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..abi import ACCEPT_HEADERS, EventKind, Status
from ..failure import Failure
from ..operation import BaseProcessor, Operation, Work

if TYPE_CHECKING:
    from ..context import Context
    from ..submission import Submission


class Accept(BaseProcessor):
    name = "accept"
    flags = ACCEPT_HEADERS
    of_instance = True

    def decode(self, submission: Submission, context: Context) -> Work:
        instance = context.instance
        if submission.argument_0 != EventKind.FETCH:
            raise Failure(Status.NOT_SUPPORTED, "accept: this host has events of kind fetch only")
        if submission.deadline_ms:
            raise Failure(Status.INVALID, "accept: has no deadline")
        if instance.accept:
            raise Failure(Status.INVALID, "accept: one is in flight already; call serve() once")
        wants_headers = submission.flags & ACCEPT_HEADERS != 0

        def accept(operation: Operation) -> None:
            instance.take_accept(operation, wants_headers)

        return accept
