"""Respond: answers an exchange, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..abi import RESPOND_FORWARD, Status
from ..failure import Failure
from ..message import Response
from ..operation import BaseProcessor, Operation, Outcome, Work
from ..pairs import headers_of
from ..resource import Exchange, FetchedBody, Source

if TYPE_CHECKING:
    from ..context import Context
    from ..submission import Submission

# Statuses of responses that HTTP sends without a body.
_BODYLESS = {204, 205, 304}


class Respond(BaseProcessor):
    name = "respond"
    flags = RESPOND_FORWARD
    relieves = True

    def decode(self, submission: Submission, context: Context) -> Work:
        exchange = context.resource_of(submission.resource, Exchange)
        if exchange.response:
            raise Failure(Status.CLOSED, "respond: the exchange was answered before")
        source = context.source_of(submission, submission.argument_1)
        response = (_forward if submission.flags & RESPOND_FORWARD else _respond)(submission, source)

        def respond(_operation: Operation) -> Outcome:
            exchange.response = response
            return Outcome()

        return respond

    def makes_room(self, submission: Submission, context: Context) -> bool:
        exchange = context.resource(submission.resource)
        return isinstance(exchange, Exchange) and exchange.response is None


def _respond(submission: Submission, source: Source | None) -> Response:
    status = submission.argument_0
    headers = headers_of(submission.meta_pairs())
    if not 200 <= status <= 599:
        raise Failure(Status.INVALID, f"respond: {status} is no status from 200 to 599")
    if status in _BODYLESS and (source or submission.data_bytes):
        raise Failure(Status.INVALID, f"respond: a response with status {status} has no body")
    # Last: what is refused has taken nothing.
    return Response(status, headers, source.take_body() if source else submission.data())


def _forward(submission: Submission, source: Source | None) -> Response:
    """The upstream's response as it is, with what the guest adds to its headers."""
    if not isinstance(source, FetchedBody):
        raise Failure(
            Status.BAD_RESOURCE,
            "respond: only a response whose body stays on the host can be forwarded: fetch it without withBody()",
        )
    added = headers_of(submission.meta_pairs())
    upstream = source.take()
    return Response(upstream.status, [*upstream.headers, *added], upstream.body)
