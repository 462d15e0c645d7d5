"""Client: sends what guests fetch, by aiohttp.

It adds nothing that the guest did not ask for and hides nothing: no redirects (each hop must be granted), no cookies,
no proxies of the environment, no decompression (a response is forwarded byte for byte), no timeout (deadlines are the
contract's), no limit of connections (`limits.connections` is).
"""

import asyncio
import re
from collections.abc import AsyncIterator

import aiohttp
from yarl import URL

from .message import Request, Response, Stream

# What belongs to one connection, or decides where a request arrives, is not the guest's to say.
_OWN_HEADERS = {
    *("connection", "content-length", "expect", "host", "keep-alive", "proxy-connection"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
}

# Servers refuse to send these on.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_ADDED_BY_AIOHTTP = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class Client:
    """One pool of connections, which begins with the first request."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # Responses whose bodies are not done with, and who waits until there are none.
        self._open: set[aiohttp.ClientResponse] = set()
        self._all_done: asyncio.Event | None = None

    async def fetch(self, request: Request) -> Response:
        """The response as it is, its body still to be read. Raises an aiohttp.ClientError if there is none."""
        answer = await self._running_session().request(
            request.method,
            URL(request.url, encoded=True),
            headers=[header for header in request.headers if header[0] not in _OWN_HEADERS],
            data=_sent(request.body),
            allow_redirects=False,
        )
        headers = [(name.decode().lower(), value.decode("latin-1")) for name, value in answer.raw_headers]
        if any(_CONTROL.search(value) for _, value in headers):
            answer.close()
            raise aiohttp.ClientPayloadError("a header has a control character in it, which HTTP does not allow")
        if not answer.content.at_eof():
            self._open.add(answer)
        return Response(answer.status, headers, Stream(_Content(self, answer), lambda: self.done_with(answer)))

    def _running_session(self) -> aiohttp.ClientSession:
        # A pool of connections belongs to one event loop; a proactor may see several, one after the other.
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            self._loop = loop
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_ADDED_BY_AIOHTTP,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                trust_env=False,
            )
        return self._session

    def done_with(self, answer: aiohttp.ClientResponse) -> None:
        """Its body has been read to its end, or nobody wants the rest: then its connection goes too."""
        answer.close()
        self._open.discard(answer)
        if not self._open and self._all_done:
            self._all_done.set()

    async def close(self, *, now: bool) -> None:
        """Closes all connections: now, or when all bodies have been read."""
        if now:
            for answer in list(self._open):
                self.done_with(answer)
        elif self._open:
            self._all_done = asyncio.Event()
            await self._all_done.wait()
        if self._session:
            await self._session.close()
        self._session = None


class _Content:
    """The body of a response, which tells when it has ended."""

    def __init__(self, client: Client, answer: aiohttp.ClientResponse) -> None:
        self._client = client
        self._answer = answer
        self._chunks = aiter(answer.content.iter_any())

    def __aiter__(self) -> "_Content":
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except Exception:
            # The end is one too.
            self._client.done_with(self._answer)
            raise


def _sent(body: bytes | Stream | None) -> bytes | AsyncIterator[bytes] | None:
    return aiter(body) if isinstance(body, Stream) else body
