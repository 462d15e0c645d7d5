"""ASGI: a request of any server as a request of the guest's, and the answer back.

A request that is answered in its first turn costs no task. One that waits is watched: a client that goes away ends it.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import ada_url

from .message import Header, Request, Response, Stream
from .request_context import RequestContext

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Begin = Callable[[Request], Awaitable[RequestContext | Response]]

# Bytes of a request's body that are read ahead: while they wait, a client that goes away is not noticed.
_AHEAD_BYTES_MAX = 65_536

# What belongs to one connection is the server's to say, and servers write the date themselves: an upstream's would be a
# second one.
_OWN_HEADERS = frozenset(
    {"connection", "date", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_OWN_AND_LENGTH = _OWN_HEADERS | {"content-length"}
_BODYLESS = {204, 304}


async def serve_http(begin: Begin, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one request."""
    incoming = Incoming(receive)
    body = Stream(incoming) if _has_body(scope) else None
    context = await begin(Request(scope["method"], _url(scope), Headers(scope), body))
    try:
        answer = context if isinstance(context, Response) else context.answer or await _waited(context, incoming)
        if isinstance(answer.body, Stream):
            await _stream(answer, answer.body, incoming, send)
        elif not incoming.has_left:
            await _send(answer, send)
    finally:
        incoming.end()


async def _waited(context: RequestContext, incoming: Incoming) -> Response:
    incoming.watch(context.kill)
    return await context.answered()


async def serve_lifespan(shutdown: Callable[[], Awaitable[None]], receive: Receive, send: Send) -> None:
    """Ends with the server."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await shutdown()
            await send({"type": "lifespan.shutdown.complete"})
            return


# The request.

# A path and a query that WHATWG's URL would leave as they are.
_PLAIN = re.compile(r"(/(?!\.|%2[eE])[\w\-~!$&'()*+,;=:@%.]*)+(\?[\w\-~!$&()*+,;=:@%./?]*)?", re.ASCII)
_PLAIN_HOST = re.compile(r"[a-z0-9.-]{1,253}(:[0-9]{1,5})?")


def _url(scope: Scope) -> str:
    """The absolute URL, as WHATWG's URL writes it. Most are written so already."""
    target: str = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    if mounted := scope.get("root_path"):
        mount = quote(mounted)
        if f"{target}/".startswith(f"{mount}/"):
            target = target[len(mount) :] or "/"
    if query := scope["query_string"]:
        target += f"?{query.decode('latin-1')}"
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    base = _base(scope.get("scheme", "http"), host, *(scope.get("server") or ("localhost", None)))
    if _PLAIN.fullmatch(target):
        return base + target
    try:
        return str(ada_url.URL(base + target).href)
    except ValueError:
        return f"{base}/"


@lru_cache(maxsize=256)
def _base(scheme: str, host: bytes, server: str, port: int | None) -> str:
    """Where a client says that it is, if that can be, and else where the server is."""
    text = host.decode("latin-1")
    if not _PLAIN_HOST.fullmatch(text):
        text = _host_in(text) or (f"{server}:{port}" if port else server)
    return f"{scheme}://{text}"


def _host_in(text: str) -> str | None:
    try:
        url = ada_url.URL(f"http://{text}/")
    except ValueError:
        return None
    return None if url.pathname != "/" or url.username or url.search else str(url.host)


def _has_body(scope: Scope) -> bool:
    """Whether there is a body to read. Those of a GET mean nothing."""
    if scope["method"] in ("GET", "HEAD"):
        return False
    names: dict[bytes, bytes] = {
        name: value for name, value in scope["headers"] if name in (b"content-length", b"transfer-encoding")
    }
    if b"content-length" in names:
        return names[b"content-length"] != b"0"
    return bool(names) or not scope.get("http_version", "1.1").startswith("1")


class Headers:
    """The headers of a request, decoded only if somebody looks."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __iter__(self) -> Iterator[Header]:
        return ((name.decode("latin-1"), value.decode("latin-1")) for name, value in self._scope["headers"])


class Incoming:
    """What comes from the client: its body, and that it has gone away. Listens only if somebody wants to know."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.has_left = False
        self._is_complete = False
        self._chunks: deque[bytes] = deque()
        self._ahead = 0
        self._on_leave: Callable[[], object] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._changed: asyncio.Event

    def watch(self, on_leave: Callable[[], object]) -> None:
        """Calls back when the client goes away."""
        self._on_leave = on_leave
        self._start()

    def _start(self) -> None:
        if self._listening is None:
            self._changed = asyncio.Event()
            self._listening = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
        while not self.has_left:
            while self._ahead >= _AHEAD_BYTES_MAX:
                self._changed.clear()
                await self._changed.wait()
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.has_left = True
            else:
                self._take(message.get("body", b""))
                self._is_complete = not message.get("more_body")
            self._changed.set()
        if self._on_leave:
            self._on_leave()

    def _take(self, chunk: bytes) -> None:
        if chunk:
            self._chunks.append(chunk)
            self._ahead += len(chunk)

    def __aiter__(self) -> Incoming:
        return self

    async def __anext__(self) -> bytes:
        """The next piece of the body."""
        self._start()
        while not self._chunks:
            if self._is_complete:
                raise StopAsyncIteration
            if self.has_left:
                raise ConnectionResetError("the client has gone away")
            self._changed.clear()
            await self._changed.wait()
        chunk = self._chunks.popleft()
        self._ahead -= len(chunk)
        self._changed.set()
        return chunk

    def end(self) -> None:
        """Listens no more: once it is answered, a server gives no more of a request."""
        self.has_left = True
        if self._listening:
            self._listening.cancel()
            self._changed.set()


# The answer.


def _start(response: Response, without: frozenset[str] = _OWN_HEADERS) -> Message:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers if name not in without
    ]
    return {"type": "http.response.start", "status": response.status, "headers": headers}


async def _send(response: Response, send: Send) -> None:
    # The guest's own word for the length may be wrong.
    start = _start(response, _OWN_AND_LENGTH)
    body = response.body or b""
    assert isinstance(body, bytes), "a stream is sent by _stream"
    if response.status not in _BODYLESS:
        start["headers"].append((b"content-length", b"%d" % len(body)))
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def _stream(response: Response, body: Stream, incoming: Incoming, send: Send) -> None:
    """Sends the pieces as they come. If they break off, so does the connection: nothing else would tell the client."""
    task = asyncio.current_task()
    assert task, "a server calls from a task"
    left = False

    def leave() -> None:
        nonlocal left
        left = True
        task.cancel()

    incoming.watch(leave)
    try:
        await send(_start(response))
        async for chunk in body:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except asyncio.CancelledError:
        if not left:
            raise
        task.uncancel()
    except Exception:
        # Returning without an end breaks the connection off.
        return
    finally:
        incoming.watch(lambda: None)
        body.close()
