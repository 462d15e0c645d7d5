"""Three of the Worker's routes as a plain ASGI application, without any WebAssembly, to compare with.

python examples/plain.py http://127.0.0.1:9000
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from urllib.parse import parse_qs, unquote

import aiohttp
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

store: dict[str, bytes] = {}
client: aiohttp.ClientSession | None = None


async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    assert scope["type"] == "http"
    path = scope["path"]
    if path == "/hello":
        await answer(send, 200, b"hello")
    elif path.startswith("/kv/"):
        await kv(scope, receive, send, unquote(path.removeprefix("/kv/")))
    else:
        await aggregate(scope, send)


async def kv(scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable, key: str) -> None:
    if scope["method"] == "PUT":
        body = b""
        more = True
        while more:
            message = await receive()
            assert message["type"] == "http.request"
            body += message["body"]
            more = message["more_body"]
        store[key] = body
        await answer(send, 204, b"")
    elif key in store:
        await answer(send, 200, store[key])
    else:
        await answer(send, 404, b"no such key")


async def aggregate(scope: HTTPScope, send: ASGISendCallable) -> None:
    global client
    client = client or aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
    started = time.monotonic()

    def now() -> int:
        return int((time.monotonic() - started) * 1000)

    async def part(session: aiohttp.ClientSession, index: int) -> dict[str, int]:
        start = now()
        async with session.get(f"{sys.argv[1]}/part/{index}?delay={query['delay']}") as response:
            await response.read()
        return {"start": start, "end": now(), "status": response.status}

    parts = await asyncio.gather(*(part(client, index) for index in range(int(query["n"]))))
    body = json.dumps({"took": now(), "fetches": parts}).encode()
    await answer(send, 200, body, b"application/json; charset=utf-8")


async def answer(send: ASGISendCallable, status: int, body: bytes, kind: bytes = b"text/plain; charset=utf-8") -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class Server(uvicorn.Server):
    async def startup(self, sockets: object = None) -> None:
        await super().startup()
        print(f"listening on http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}", flush=True)


if __name__ == "__main__":
    Server(uvicorn.Config(app, port=0, lifespan="off", ws="none", log_level="warning", access_log=False)).run()
