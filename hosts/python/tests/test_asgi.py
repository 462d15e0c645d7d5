"""The proactor as an ASGI application: what a server says to it, and what it says to the server."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from conftest import built
from wasm_proactor import ErrorReport, MemoryStore, Proactor, Request, Response, Stream, kv, origin

Message = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class Exchange:
    """One request to an ASGI application, by hand."""

    def __init__(self, *body: bytes, leaves: bool = False) -> None:
        self._incoming: list[Message] = [
            {"type": "http.request", "body": piece, "more_body": number < len(body)}
            for number, piece in enumerate(body or (b"",), 1)
        ]
        self.sent: list[Message] = []
        self.left = asyncio.Event()
        self.began = asyncio.Event()
        if leaves:
            self._incoming[-1]["more_body"] = True

    async def receive(self) -> Message:
        if self._incoming:
            return self._incoming.pop(0)
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if message["type"] == "http.response.body":
            self.began.set()

    async def run(
        self,
        app: Application,
        path: str,
        method: str = "GET",
        headers: Iterable[tuple[bytes, bytes]] = (),
        host: bytes = b"guest.test",
        **more: Any,
    ) -> "Exchange":
        raw, _, query = path.encode().partition(b"?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": raw.decode(),
            "raw_path": raw,
            "query_string": query,
            "root_path": "",
            "headers": [(b"host", host), *headers],
            "server": ("127.0.0.1", 80),
            **more,
        }
        await app(scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


class Upstream:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.requests: list[Request] = []
        self.called = asyncio.Event()

    async def fetch(self, request: Request) -> Response:
        self.requests.append(request)
        self.called.set()
        return await self.answer


def start(upstream: Upstream | None = None, **options: Any) -> Proactor:
    resources = {"CACHE": kv(MemoryStore()), "UPSTREAM": origin("http://upstream.internal", fetcher=upstream)}
    return Proactor(built("worker.wasm"), resources=resources, **options)


def test_hello() -> None:
    async def main() -> None:
        exchange = await Exchange().run(start(), "/hello")
        assert (exchange.status, exchange.body) == (200, b"hello")
        assert exchange.headers == {"content-type": "text/plain; charset=utf-8", "content-length": "5"}

    asyncio.run(main())


def test_a_body_in_pieces_is_read() -> None:
    async def main() -> None:
        app = start()
        pieces = [b"one ", b"two ", b"three"]
        put = await Exchange(*pieces).run(app, "/kv/a", "PUT", [(b"content-length", b"13")])
        got = await Exchange().run(app, "/kv/a")
        assert (put.status, got.body) == (204, b"one two three")

    asyncio.run(main())


def test_a_client_that_goes_away_before_the_answer_ends_the_upstreams_work() -> None:
    async def main() -> None:
        upstream = Upstream()
        app = start(upstream)
        exchange = Exchange()
        asked = asyncio.create_task(exchange.run(app, "/proxy/slow"))
        await upstream.called.wait()
        exchange.left.set()
        await asked
        await asyncio.sleep(0)
        assert upstream.answer.cancelled()
        assert (exchange.sent, app.counters.killed, app.counters.contexts) == ([], 1, 0)

    asyncio.run(main())


def test_a_client_that_goes_away_in_the_middle_of_its_body_harms_nobody() -> None:
    async def main() -> None:
        reports: list[ErrorReport] = []
        app = start(on_error=reports.append)
        exchange = Exchange(b"half", leaves=True)
        exchange.left.set()
        await exchange.run(app, "/kv/a", "PUT", [(b"content-length", b"100")])
        assert (await Exchange().run(app, "/kv/a")).status == 404
        assert (app.counters.contexts, reports) == (0, [])

    asyncio.run(main())


def test_a_streamed_answer_goes_out_in_its_pieces() -> None:
    async def main() -> None:
        upstream = Upstream()
        app = start(upstream)
        body = gzip.compress(b"left as it is")
        headers = [("content-encoding", "gzip"), ("connection", "close"), ("set-cookie", "a"), ("set-cookie", "b")]
        upstream.answer.set_result(Response(203, headers, Stream(Pieces([body[:5], body[5:]]))))
        exchange = await Exchange().run(app, "/proxy/file")
        assert (exchange.status, gzip.decompress(exchange.body)) == (203, b"left as it is")
        assert [message.get("body") for message in exchange.sent[1:]] == [body[:5], body[5:], b""]
        names = [name for name, _ in exchange.sent[0]["headers"]]
        assert b"connection" not in names
        assert names.count(b"set-cookie") == 2

    asyncio.run(main())


def test_a_client_that_goes_away_in_the_middle_of_an_answer_lets_go_of_the_rest() -> None:
    async def main() -> None:
        upstream = Upstream()
        app = start(upstream)
        closed = asyncio.Event()
        upstream.answer.set_result(Response(200, [], Stream(Pieces([b"some"], ends=False), closed.set)))
        exchange = Exchange()
        asked = asyncio.create_task(exchange.run(app, "/proxy/endless"))
        await exchange.began.wait()
        exchange.left.set()
        await asked
        assert closed.is_set()

    asyncio.run(main())


def test_an_answer_that_breaks_off_has_no_end() -> None:
    async def main() -> None:
        upstream = Upstream()
        upstream.answer.set_result(Response(200, [], Stream(Pieces([b"some"], breaks=True))))
        exchange = await Exchange().run(start(upstream), "/proxy/broken")
        assert [message.get("more_body") for message in exchange.sent[1:]] == [True]

    asyncio.run(main())


class Pieces:
    def __init__(self, pieces: list[bytes], *, ends: bool = True, breaks: bool = False) -> None:
        self._pieces = pieces
        self._ends = ends
        self._breaks = breaks

    def __aiter__(self) -> "Pieces":
        return self

    async def __anext__(self) -> bytes:
        if self._pieces:
            return self._pieces.pop(0)
        if self._breaks:
            raise ConnectionError("the transfer broke off")
        if not self._ends:
            await asyncio.get_running_loop().create_future()
        raise StopAsyncIteration


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/a/b?c=d", "http://guest.test/a/b?c=d"),
        ("/a/../b", "http://guest.test/b"),
        ('/"quoted"', "http://guest.test/%22quoted%22"),
        ("//other.test/", "http://guest.test//other.test/"),
        ("/%2e%2e/", "http://guest.test/"),
    ],
)
def test_the_guest_sees_an_absolute_url_as_whatwg_writes_it(path: str, url: str) -> None:
    async def main() -> None:
        reports: list[ErrorReport] = []
        app = Proactor(built("test/lifetime.wasm"), on_error=reports.append)
        reports.clear()
        await Exchange().run(app, path)
        # A guest that does not know the path falls silent, and the report names the request.
        assert [report.request for report in reports] == [f"GET {url}"]

    asyncio.run(main())


@pytest.mark.parametrize("host", [b"", b"evil/path", b"user@evil", b"a b", b"[::1"])
def test_a_host_that_is_none_is_replaced(host: bytes) -> None:
    async def main() -> None:
        reports: list[ErrorReport] = []
        app = Proactor(built("test/lifetime.wasm"), on_error=reports.append)
        reports.clear()
        await Exchange().run(app, "/", host=host)
        assert [report.request for report in reports] == ["GET http://127.0.0.1:80/"]

    asyncio.run(main())


def test_mounted_in_starlette_the_guest_sees_what_lies_below() -> None:
    async def main() -> None:
        guest = start()

        async def home(_request: object) -> PlainTextResponse:
            return PlainTextResponse("starlette")

        @asynccontextmanager
        async def lifespan(_app: Starlette) -> Any:
            yield
            await guest.shutdown()

        app = Starlette(routes=[Route("/", home), Mount("/guest", app=guest)], lifespan=lifespan)
        assert (await Exchange().run(app, "/")).body == b"starlette"
        assert (await Exchange().run(app, "/guest/hello")).body == b"hello"
        assert (await Exchange(b"value").run(app, "/guest/kv/a", "PUT", [(b"content-length", b"5")])).status == 204
        assert (await Exchange().run(app, "/guest/kv/a")).body == b"value"
        assert (await Exchange().run(app, "/guest/nowhere")).status == 404
        # A prefix of the path that is no mount.
        assert (await Exchange().run(guest, "/guesthello", root_path="/guest")).status == 404
        await lifespan_of(app)
        assert (guest.counters.instances, guest.counters.in_flight) == (0, 0)

    asyncio.run(main())


def test_lifespan_shuts_the_proactor_down() -> None:
    async def main() -> None:
        app = start()
        assert await lifespan_of(app) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        refused = await Exchange().run(app, "/hello")
        assert (refused.status, refused.body) == (503, b'{"error":"shutdown","detail":"The host is shutting down."}')
        assert app.counters.instances == 0

    asyncio.run(main())


async def lifespan_of(app: Application) -> list[str]:
    incoming = ["lifespan.startup", "lifespan.shutdown"]
    sent: list[str] = []

    async def receive() -> Message:
        return {"type": incoming.pop(0)}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    return sent


def test_other_scopes_are_not_for_a_guest() -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="websocket"):
            await Exchange().run(start(), "/", type="websocket")

    asyncio.run(main())
