"""Message: requests and responses, as they come in, as they are fetched and as they go out.

The host has types of its own so that a guest can be served without HTTP, and so that no client or server library is a
part of the API.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

Header = tuple[str, str]


class Stream:
    """A body that is read once, piece by piece, or let go of by `close`."""

    def __init__(self, chunks: AsyncIterable[bytes], on_close: Callable[[], None] | None = None) -> None:
        """`on_close` lets go of what the chunks come from, if the body is not read to its end."""
        self._chunks = aiter(chunks)
        self._on_close = on_close
        self.begun = False
        """Whether somebody reads it."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next piece. Raises whatever breaks the body off."""
        self.begun = True
        try:
            return await anext(self._chunks)
        except Exception:
            # It has ended, well or not: nothing is left to let go of.
            self._on_close = None
            raise

    def close(self) -> None:
        """Lets go of what was not read. Once: the second call does nothing."""
        on_close, self._on_close = self._on_close, None
        if on_close:
            on_close()


Body = bytes | Stream | None


@dataclass(slots=True)
class Request:
    """A request: one that comes in, or one that a fetch sends."""

    method: str
    url: str
    """Absolute."""
    headers: Iterable[Header] = ()
    body: Body = None


@dataclass(slots=True)
class Response:
    """A response: one that was fetched, or the guest's answer. Header names are in lower case."""

    status: int = 200
    headers: list[Header] = field(default_factory=list)
    body: Body = None

    async def read(self) -> bytes:
        """The whole body."""
        if not isinstance(self.body, Stream):
            return self.body or b""
        try:
            return b"".join([chunk async for chunk in self.body])
        finally:
            self.body.close()


def close_body(body: Body) -> None:
    """Lets go of a body that nobody will read: it holds its connection open."""
    if isinstance(body, Stream):
        body.close()
