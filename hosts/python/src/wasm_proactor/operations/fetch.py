"""Fetch: sends a request to a granted origin and completes with the response."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import ada_url

from ..abi import FETCH_BODY, RedirectMode, Status
from ..failure import Failure, message_of
from ..message import Header, Request, Response, Stream, close_body
from ..operation import BaseProcessor, Operation, Outcome, Work
from ..pairs import combine, encode_pairs, headers_of
from ..resource import Fetcher, OriginGrant, read_body

if TYPE_CHECKING:
    from ..context import Context
    from ..submission import Submission

# An HTTP token, and none of the methods that the fetch standard forbids.
_METHOD = re.compile(r"(?!(connect|trace|track)$)[\w!#$%&'*+.^`|~-]+", re.ASCII | re.IGNORECASE)
_REDIRECTS = {301, 302, 303, 307, 308}
# What was meant for one origin stays there.
_SECRETS = {"authorization", "cookie", "proxy-authorization"}
# What describes a body goes with it.
_DESCRIPTIONS = {"content-encoding", "content-language", "content-length", "content-location", "content-type"}


class Fetch(BaseProcessor):
    name = "fetch"
    flags = FETCH_BODY

    def decode(self, submission: Submission, context: Context) -> Work:
        grant = context.resource_of(submission.resource, OriginGrant)
        mode = submission.argument_1
        if mode > RedirectMode.ERROR:
            raise Failure(Status.INVALID, f"fetch: {mode} is no redirect mode")
        bytes_wanted = context.body_bytes_max(submission.argument_0) if submission.flags & FETCH_BODY else None
        if bytes_wanted is None:
            context.check_resources()
        request = _request_of(submission, context, grant)

        # The connection is taken inside `submit`: the order of submission is the order in which they wait.
        return lambda operation: _perform(operation, context.connections.take(), grant, request, mode, bytes_wanted)


async def _perform(
    operation: Operation,
    turn: asyncio.Future[None] | None,
    grant: OriginGrant,
    request: Request,
    mode: int,
    bytes_wanted: int | None,
) -> Outcome:
    try:
        response = await _follow(operation, turn, grant, request, mode)
    finally:
        # A streamed body that nobody has begun to read holds its connection open.
        if isinstance(request.body, Stream) and not request.body.begun:
            request.body.close()
    headers = combine(response.headers)
    # One that nobody waits for any more is let go of unread.
    if bytes_wanted is None or operation.settled:
        return Outcome(response.status, encode_pairs(headers), response)
    return Outcome(response.status, encode_pairs(headers, await read_body(response.body, bytes_wanted)))


def _request_of(submission: Submission, context: Context, grant: OriginGrant) -> Request:
    pairs = submission.meta_pairs()
    if not pairs:
        raise Failure(Status.INVALID, "fetch: the head is missing")
    (method, url), *headers = pairs
    source = context.source_of(submission, submission.argument_2)
    has_body = source is not None or submission.data_bytes > 0
    return Request(
        method=_checked_method(method, has_body),
        url=_granted(url, grant.origins[0], grant, Status.INVALID),
        headers=headers_of(headers),
        # Last: what is refused has taken nothing.
        body=source.take_body() if source else submission.data() or None,
    )


def _granted(text: str, base: str, grant: OriginGrant, otherwise: Status) -> str:
    """The URL, if it may be fetched: a path at `base`, or an absolute URL at any granted origin.

    What else it is the guest or the upstream has got wrong, hence `otherwise`.
    """
    try:
        url = ada_url.URL(text, base)
    except ValueError:
        raise Failure(otherwise, f'fetch: "{text}" is no URL') from None
    if url.username or url.password:
        raise Failure(otherwise, "fetch: a URL must not contain credentials")
    # The origin of blob:https://… is that of what it wraps.
    if url.protocol == "blob:" or url.origin not in grant.origins:
        raise Failure(Status.NOT_PERMITTED, f"fetch: {url.origin} is not among the granted origins")
    return str(url.href)


def _checked_method(text: str, has_body: bool) -> str:
    if not _METHOD.fullmatch(text):
        raise Failure(Status.INVALID, f'fetch: "{text}" is no method for a request')
    if has_body and text.upper() in ("GET", "HEAD"):
        raise Failure(Status.INVALID, f"fetch: a {text} has no body")
    # As the fetch standard has it: these were written in lower case so often.
    upper = text.upper()
    return upper if upper in ("DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT") else text


async def _follow(
    operation: Operation, turn: asyncio.Future[None] | None, grant: OriginGrant, request: Request, mode: int
) -> Response:
    """Follows redirects itself, as each hop must be granted."""
    connections = operation.context.connections
    fetcher = grant.fetcher or operation.context.host.fetcher
    hops = 0
    while True:
        await connections.wait(turn)
        try:
            response = await _send(fetcher, request)
        finally:
            connections.hand_on()
        location = next((value for name, value in response.headers if name.lower() == "location"), None)
        # A fetch that ignored its abort may still answer, but nobody waits for where it leads.
        if operation.settled or mode == RedirectMode.MANUAL:
            return response
        if response.status not in _REDIRECTS or location is None:
            return response
        close_body(response.body)
        if mode == RedirectMode.ERROR:
            raise Failure(Status.REDIRECT, "fetch: the response is a redirect")
        if hops == operation.context.host.limits.redirects:
            raise Failure(Status.REDIRECT, "fetch: too many redirects")
        request = _redirected(request, response.status, location, grant)
        turn = connections.take()
        hops += 1


async def _send(fetcher: Fetcher, request: Request) -> Response:
    try:
        response = await fetcher.fetch(request)
    except Exception as error:
        raise Failure(Status.NETWORK, f"fetch: {message_of(error)}") from error
    if 200 <= response.status <= 599:
        return response
    # A switch of protocols, or a number that is none: servers could not send it on.
    close_body(response.body)
    raise Failure(Status.NETWORK, f"fetch: {response.status} is no status of an answer")


def _redirected(request: Request, status: int, location: str, grant: OriginGrant) -> Request:
    """The request that a redirect asks for, as the fetch standard says."""
    url = _granted(location, request.url, grant, Status.REDIRECT)
    is_same_origin = ada_url.URL(url).origin == ada_url.URL(request.url).origin
    headers = list(request.headers) if is_same_origin else _without(_SECRETS, request.headers)
    becomes_get = request.method != "HEAD" if status == 303 else status < 303 and request.method == "POST"
    if becomes_get:
        return Request("GET", url, _without(_DESCRIPTIONS, headers))
    if isinstance(request.body, Stream):
        raise Failure(Status.REDIRECT, "fetch: a streamed body cannot be sent again")
    return Request(request.method, url, headers, request.body)


def _without(names: set[str], headers: Iterable[Header]) -> list[Header]:
    return [(name, value) for name, value in headers if name not in names]
