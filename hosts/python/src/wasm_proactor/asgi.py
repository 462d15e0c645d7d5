"""ASGI: a request of any server as a request of the guest's, and the answer back.

A request that is answered in its first turn costs no task. One that waits is watched: a client that goes away ends it.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

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

# What belongs to one connection is the server's to say.
_OWN_HEADERS = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
_BODYLESS = {204, 304}


async def serve_http(begin: Begin, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one request."""
    incoming = Incoming(receive)
    request = Request(scope["method"], _url(scope), _headers(scope), incoming.body(scope))
    context = await begin(request)
    if isinstance(context, Response):
        return await _send(context, send)
    try:
        answer = context.answer
        if answer is None:
            incoming.watch(context.kill)
            answer = await context.answered()
        if incoming.has_left:
            return None
        if isinstance(answer.body, Stream):
            await _stream(answer, answer.body, incoming, send)
        else:
            await _send(answer, send)
    finally:
        incoming.end()


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

_PLAIN_PATH = re.compile(r"(/(?!\.)[\w\-~!$&'()*+,;=:@%.]*)+", re.ASCII)
_PLAIN_HOST = re.compile(r"[a-z0-9.-]+(:[0-9]+)?")
_PLAIN_QUERY = re.compile(r"[\w\-~!$&()*+,;=:@%./?]*", re.ASCII)


def _url(scope: Scope) -> str:
    """The absolute URL, as WHATWG's URL writes it. Most are written so already."""
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    mounted: str = scope.get("root_path", "")
    if mounted and path.startswith(mounted):
        path = path[len(mounted) :] or "/"
    query: str = scope.get("query_string", b"").decode("latin-1")
    host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    base = f"{scope.get('scheme', 'http')}://{host if _PLAIN_HOST.fullmatch(host) else _host(host, scope)}"
    url = f"{base}{path}?{query}" if query else f"{base}{path}"
    if _PLAIN_PATH.fullmatch(path) and _PLAIN_QUERY.fullmatch(query):
        return url
    try:
        # Without a base a path such as //other would lead elsewhere.
        return str(ada_url.URL(url).href)
    except ValueError:
        return f"{base}/"


def _host(text: str, scope: Scope) -> str:
    """What a client calls the host, if it is the name of one."""
    try:
        url = ada_url.URL(f"http://{text}/")
        if url.pathname == "/" and not url.username and not url.search:
            return str(url.host)
    except ValueError:
        pass
    name, port = scope.get("server") or ("localhost", None)
    return f"{name}:{port}" if port else name


def _headers(scope: Scope) -> list[Header]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]


class Incoming:
    """What comes from the client: its body, and that it has gone away."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._chunks: deque[bytes] = deque()
        self._ahead = 0
        self._is_complete = False
        self.has_left = False
        self._on_leave: Callable[[], object] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def body(self, scope: Scope) -> Stream | None:
        """The request's body, if it has any."""
        headers = dict(scope["headers"])
        length = headers.get(b"content-length")
        is_http_1 = scope.get("http_version", "1.1").startswith("1")
        if length == b"0" or (length is None and is_http_1 and b"transfer-encoding" not in headers):
            return None
        if length is None and scope["method"] in ("GET", "HEAD"):
            return None
        return Stream(self)

    def watch(self, on_leave: Callable[[], object]) -> None:
        """Calls back when the client goes away."""
        self._on_leave = on_leave
        self._start()

    def _start(self) -> None:
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
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
        if self._pump:
            self._pump.cancel()
        self.has_left = True
        self._changed.set()


# The answer.


def _start(response: Response) -> Message:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers
        if name not in _OWN_HEADERS
    ]
    return {"type": "http.response.start", "status": response.status, "headers": headers}


async def _send(response: Response, send: Send) -> None:
    start = _start(response)
    body = response.body or b""
    assert isinstance(body, bytes), "a stream is sent by _stream"
    # The guest's own word for it may be wrong.
    start["headers"] = [header for header in start["headers"] if header[0] != b"content-length"]
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
