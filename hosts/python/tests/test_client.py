"""The client that sends what guests fetch, against a real server on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from conftest import built
from wasm_proactor import MemoryStore, Proactor, Request, Stream, kv, origin
from wasm_proactor.client import Client


@asynccontextmanager
async def serving(handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def test_it_adds_nothing_and_lets_nobody_say_where_it_goes() -> None:
    async def main() -> None:
        seen: list[web.BaseRequest] = []

        async def handler(request: web.BaseRequest) -> web.Response:
            seen.append(request)
            return web.Response()

        client = Client()
        async with serving(handler) as url:
            headers = [("host", "other.test"), ("content-length", "9"), ("x-own", "1"), ("connection", "upgrade")]
            response = await client.fetch(Request("GET", f"{url}/a%2fb?c=%20d", headers))
            assert await response.read() == b""
            await client.close(now=False)
        assert seen[0].raw_path == "/a%2fb?c=%20d"
        assert dict(seen[0].headers) == {"Host": url.removeprefix("http://"), "x-own": "1"}

    asyncio.run(main())


def test_a_redirect_and_a_packed_body_are_handed_on_as_they_are() -> None:
    async def main() -> None:
        async def handler(_request: web.BaseRequest) -> web.Response:
            headers = {"location": "/elsewhere", "content-encoding": "gzip", "set-cookie": "a=b"}
            return web.Response(status=302, headers=headers, body=b"packed")

        client = Client()
        async with serving(handler) as url:
            response = await client.fetch(Request("GET", url))
            assert (response.status, await response.read()) == (302, b"packed")
            assert dict(response.headers)["content-encoding"] == "gzip"
            await client.close(now=False)

    asyncio.run(main())


@pytest.mark.parametrize("head", [b"101 Other", b"099 None", b"600 None", b"200 OK\r\nx-bell: a\x07b"])
def test_what_no_server_could_send_on_is_a_failed_fetch(head: bytes) -> None:
    async def main() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 " + head + b"\r\nupgrade: other\r\nconnection: upgrade\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        grants = {"CACHE": kv(MemoryStore()), "UPSTREAM": origin(f"http://{host}:{port}")}
        app = Proactor(built("worker.wasm"), resources=grants)
        response = await app.fetch(Request("GET", "http://guest.test/proxy/any"))
        assert response.status == 502
        await app.shutdown()
        server.close()

    asyncio.run(main())


def test_a_streamed_body_is_sent_in_pieces() -> None:
    async def main() -> None:
        async def handler(request: web.BaseRequest) -> web.Response:
            return web.Response(body=await request.read(), headers={"x-seen": request.headers["transfer-encoding"]})

        async def pieces() -> AsyncIterator[bytes]:
            yield b"one "
            yield b"two"

        client = Client()
        async with serving(handler) as url:
            response = await client.fetch(Request("POST", url, [], Stream(pieces())))
            assert await response.read() == b"one two"
            assert dict(response.headers)["x-seen"] == "chunked"
            await client.close(now=False)

    asyncio.run(main())


def test_it_is_closed_when_all_bodies_are_done_with() -> None:
    async def main() -> None:
        async def handler(_request: web.BaseRequest) -> web.Response:
            return web.Response(body=b"x" * 1_000_000)

        client = Client()
        async with serving(handler) as url:
            response, other = [await client.fetch(Request("GET", url)) for _ in range(2)]
            closing = asyncio.create_task(client.close(now=False))
            assert len(await response.read()) == 1_000_000
            assert not closing.done()
            assert isinstance(other.body, Stream)
            other.body.close()
            await closing

    asyncio.run(main())


def test_whoever_cancels_it_ends_the_connection() -> None:
    async def main() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def handler(_request: web.BaseRequest) -> web.Response:
            begun.set()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                ended.set()
            raise AssertionError

        client = Client()
        runner = web.Server(handler, handler_cancellation=True)
        server = await asyncio.get_running_loop().create_server(runner, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        task = asyncio.create_task(client.fetch(Request("GET", f"http://127.0.0.1:{port}/")))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await ended.wait()
        await client.close(now=False)
        server.close()
        await runner.shutdown()

    asyncio.run(main())
