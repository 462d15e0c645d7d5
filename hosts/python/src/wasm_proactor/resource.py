"""Resource: a capability of the guest. It reaches nothing that is not one of these.

Grants belong to the instance and are opened by name. Exchanges and bodies belong to one context, in whose own table
alone they are found, so another context's number is BadResource by construction.
"""

import re
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias, TypeVar, cast, get_args

import ada_url

from .abi import Status
from .failure import Failure, message_of
from .message import Body, Request, Response, Stream, close_body
from .names import check_names

_T = TypeVar("_T")

MaybeAwaitable: TypeAlias = _T | Awaitable[_T]
"""What a store gives: the result, if it has it at once, or something to wait for."""


class KvValue(NamedTuple):
    """A value, with its metadata if that was asked for and there is any."""

    value: bytes
    metadata: object = None


class KvKey(NamedTuple):
    """A key in a list: with its expiration in seconds since 1970, and its metadata."""

    name: str
    expiration: int | None = None
    metadata: object = None


class KvPage(NamedTuple):
    """A part of a list, in the order of the keys' UTF-8 bytes. Without a cursor it is the last."""

    keys: list[KvKey]
    cursor: str | None = None


class KvStore(Protocol):
    """What KV needs of a store. Its methods may be `async`; what raises a StoreError says which status the guest gets.

    What the guest no longer wants is not cancelled: a write that has begun should not be torn.
    """

    def get(self, key: str, *, cache_ttl: int | None, metadata: bool) -> MaybeAwaitable[KvValue | None]:
        """The value, or None if there is no such key. `cache_ttl`: seconds for which an older one will do."""

    def put(
        self, key: str, value: bytes, *, expiration: int | None, expiration_ttl: int | None, metadata: object
    ) -> MaybeAwaitable[None]:
        """Writes. `expiration`: seconds since 1970. `expiration_ttl`: seconds from now. `metadata`: what JSON has."""

    def delete(self, key: str) -> MaybeAwaitable[None]:
        """Removes the key, if it is there."""

    def list(self, prefix: str, *, limit: int, cursor: str | None) -> MaybeAwaitable[KvPage]:
        """At most `limit` keys that start with `prefix`, from the cursor of the page before."""


class Fetcher(Protocol):
    """What sends requests. Follows no redirect, sets no deadline, and ends when its task is cancelled."""

    def fetch(self, request: Request) -> Awaitable[Response]:
        """The response, as soon as its headers are there. Raises anything if there is none."""


KvRight = Literal["read", "write", "list"]
KV_RIGHTS: tuple[KvRight, ...] = get_args(KvRight)


class Grant:
    """What a guest may open: `kv(…)` or `origin(…)` makes one."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class KvGrant(Grant):
    """A granted KV namespace."""

    store: KvStore
    rights: frozenset[KvRight]


@dataclass(frozen=True, slots=True, eq=False)
class OriginGrant(Grant):
    """Granted HTTP origins, as WHATWG's URL writes them; the first resolves relative URLs."""

    origins: tuple[str, ...]
    fetcher: Fetcher | None
    """None for the proactor's own client."""


Grants = Mapping[str, Grant]


def kv(store: KvStore, rights: Iterable[KvRight] = KV_RIGHTS) -> KvGrant:
    """Grants a KV namespace. Without `rights` the guest may read, write and list."""
    if isinstance(store, type) or not callable(getattr(store, "get", None)):
        raise TypeError(f"kv: {store!r} is no store; it has no get()")
    granted = frozenset((cast(KvRight, rights),) if isinstance(rights, str) else rights)
    check_names("rights", granted, KV_RIGHTS)
    return KvGrant(store, granted)


def origin(*origins: str, fetcher: Fetcher | None = None) -> OriginGrant:
    """Grants HTTP origins such as `https://api.example.com`, redirects included.

    `fetcher` sends the requests; by default a client of the proactor's own does.
    """
    if not origins:
        raise ValueError("origin: give at least one, such as https://api.example.com")
    if fetcher is not None and not callable(getattr(fetcher, "fetch", None)):
        raise TypeError("origin: the fetcher has no fetch()")
    return OriginGrant(tuple(map(_checked_origin, origins)), fetcher)


def _checked_origin(text: str) -> str:
    plain = text.removesuffix("/")
    if re.match("https?:", plain) and ada_url.check_url(plain) and ada_url.URL(plain).origin == plain:
        return plain
    raise ValueError(f'origin: "{text}" is none; write it as https://api.example.com, without a path')


class _Message:
    """A request or a response, whose body is read or sent once."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self.taken = False

    def take_body(self) -> Body:
        if self.taken:
            raise Failure(Status.CLOSED, "this body was read or sent before")
        self.taken = True
        return self._body


class Exchange(_Message):
    """One incoming request and its one response."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.body)
        self.request = request
        self.response: Response | None = None


class FetchedBody(_Message):
    """A fetched response whose body stays on the host."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.body)
        self._response = response

    def take(self) -> Response:
        """The response as it is, with its body."""
        self.take_body()
        return self._response

    def dispose(self) -> None:
        """Lets go of a body that nobody took."""
        if not self.taken:
            close_body(self.take_body())


Source = Exchange | FetchedBody
"""What has a body to read or send."""

Resource = Grant | Source
"""What a number of the guest's stands for."""


async def read_body(body: Body, bytes_max: int) -> bytes:
    """Reads a body to its end. Raises TooBig, and lets go of the rest, if it has more than `bytes_max` bytes."""
    if not isinstance(body, Stream):
        return _bounded(body or b"", bytes_max)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in body:
            chunks.append(chunk)
            size += len(chunk)
            if size > bytes_max:
                break
    except Exception as error:
        raise Failure(Status.ABORTED, f"the body broke off: {message_of(error)}") from error
    finally:
        body.close()
    return _bounded(b"".join(chunks), bytes_max)


def _bounded(data: bytes, bytes_max: int) -> bytes:
    if len(data) > bytes_max:
        raise Failure(Status.TOO_BIG, f"the body has more than {bytes_max} bytes")
    return data
