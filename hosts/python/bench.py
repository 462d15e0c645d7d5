"""What this host costs, in one run: `python bench.py` after `npm run build`.

The border and the queue in microseconds; the start of an instance; and requests per second of the deployed Worker's
guest beside a plain ASGI handler that answers the same, under the same server, in turns so that both meet the same
machine.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import wasmtime

from wasm_proactor import MemoryStore, Proactor, Request, kv, origin
from wasm_proactor.engine import Linked, compile_module

ROOT = Path(__file__).parents[2]
CONNECTIONS = 32
ROUNDS = 5

HELLO = "/hello"
READ = "/kv/key"
TEXT = [(b"content-type", b"text/plain; charset=utf-8")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2, help="of load for each of the rounds")
    parser.add_argument("--listen", choices=["guest", "plain"], help=argparse.SUPPRESS)
    values = parser.parse_args()
    if values.listen:
        listen(guest() if values.listen == "guest" else plain())
        return
    print(f"Python {sys.version.split()[0]}, wasmtime {version('wasmtime')}, {os.cpu_count()} processors\n")
    border()
    completions()
    start_up()
    in_process()
    asyncio.run(over_http(values.seconds))


def show(what: str, value: float, unit: str) -> None:
    print(f"{what:<44}{value:>12,.2f} {unit}")


def micros(work: Callable[[], object], count: int) -> float:
    """The least that `count` repetitions of something took, for one of them."""
    return min(timed(work) for _ in range(ROUNDS)) / count * 1e6


def timed(work: Callable[[], object]) -> float:
    """Seconds of the processor's time, which nobody else's work on this machine makes longer."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


# The border.

CALLS = """
(module
  (import "proactor_v1" "poll" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_initialize"))
  (func (export "run") (param $left i32) (result i32)
    (loop $next
      (if (local.get $left) (then
        (drop (call $poll (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next))))
    (i32.const 0)))
"""


class Nothing:
    """Answers every call at once: what is left is the border."""

    def submit(self, _submissions: int, _count: int) -> int:
        return 0

    def poll(self, _completions: int, _capacity: int, _arena: int, _arena_bytes: int) -> int:
        return 0

    def open(self, _name: int, _name_bytes: int) -> int:
        return 0

    def call(self, _module: str, _name: str, _arguments: list[int]) -> int:
        return 0


def border() -> None:
    instance = Linked(compile_module(bytes(wasmtime.wat2wasm(CALLS))), 5_000, 1 << 30).instantiate(Nothing())
    count = 20_000
    show("a call into the module", micros(lambda: [instance.run(0) for _ in range(count)], count), "µs")
    show("a call of the host by the module", micros(lambda: instance.run(count), count), "µs")


# The queue.


def completions() -> None:
    async def measure() -> None:
        app = Proactor(ROOT / "build/bench/noop.wasm")
        count = 20_000
        for batch in (1, 16, 256):
            least = float("inf")
            for _ in range(ROUNDS):
                begin = time.process_time()
                response = await app.fetch(Request("GET", f"http://localhost/?count={count}&batch={batch}"))
                least = min(least, time.process_time() - begin)
                assert await response.read() == b"%d" % count
            show(f"an operation and its completion, by {batch}", least / count * 1e6, "µs")

    asyncio.run(measure())


# Instances.


def start_up() -> None:
    async def measure() -> None:
        app = guest(isolation="request")
        count = 300
        least = float("inf")
        for _ in range(ROUNDS):
            begin = time.process_time()
            for _ in range(count):
                app._instantiate().retire()
            least = min(least, time.process_time() - begin)
        show("an instance, made and ended", least / count * 1e6, "µs")

    module = (ROOT / "build/worker.wasm").read_bytes()
    show("the module, compiled", micros(lambda: compile_module(module), 1) / 1000, "ms")
    asyncio.run(measure())


# Requests.

Application = Callable[[Any, Any, Any], Awaitable[None]]


def guest(**options: Any) -> Proactor:
    store = MemoryStore()
    store.put("key", b"a value of some length")
    return Proactor(
        ROOT / "build/worker.wasm",
        resources={"CACHE": kv(store), "UPSTREAM": origin("http://127.0.0.1:1")},
        **options,
    )


def plain() -> Application:
    """The same answers, without a guest."""
    store = MemoryStore()
    store.put("key", b"a value of some length")

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        path = scope["path"]
        if path == "/hello":
            body = b"hello"
        else:
            found = store.get(path.removeprefix("/kv/"))
            assert found
            body = found.value
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [*TEXT, (b"content-length", b"%d" % len(body))],
            }
        )
        await send({"type": "http.response.body", "body": body})

    return app


def in_process() -> None:
    headers = [(b"host", b"localhost"), (b"accept", b"*/*"), (b"user-agent", b"bench")]

    async def measure(app: Application, path: str) -> float:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
        }
        bodies: list[bytes] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body":
                bodies.append(message["body"])

        count = 2_000
        begin = time.process_time()
        for _ in range(count):
            await app(scope, receive, send)
        taken = time.process_time() - begin
        assert len(bodies) == count
        return taken / count * 1e6

    async def all_of(apps: Iterable[tuple[str, Application]]) -> None:
        for path in (HELLO, READ):
            for name, app in apps:
                least = min([await measure(app, path) for _ in range(ROUNDS)])
                show(f"{path} as ASGI, without a server, {name}", least, "µs")

    asyncio.run(all_of([("plain", plain()), ("guest", guest()), ("guest, new each time", guest(isolation="request"))]))


# Over HTTP.


def listen(app: Application) -> None:
    import socket

    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run([listening])


async def over_http(seconds: float) -> None:
    servers: dict[str, subprocess.Popen[str]] = {}
    try:
        ports: dict[str, int] = {}
        for name in ("plain", "guest"):
            command = [sys.executable, __file__, "--listen", name]
            servers[name] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
            stdout = servers[name].stdout
            assert stdout
            ports[name] = int(stdout.readline())
        for path in (HELLO, READ):
            await compare(path, ports, seconds)
    finally:
        for server in servers.values():
            server.terminate()
            server.wait()


async def compare(path: str, ports: dict[str, int], seconds: float) -> None:
    rates: dict[str, list[float]] = {name: [] for name in ports}
    latencies: dict[str, list[float]] = {name: [] for name in ports}
    for _ in range(ROUNDS):
        for name, port in ports.items():
            taken = await load(port, path, seconds)
            rates[name].append(len(taken) / seconds)
            latencies[name] += taken
    print()
    for name in ports:
        slowest = sorted(latencies[name])[int(len(latencies[name]) * 0.99)]
        show(f"{path} over HTTP, {name}", median(rates[name]), "requests/s")
        show(f"{path} over HTTP, {name}, p99", slowest * 1000, "ms")
    ratio = median(ours / theirs for ours, theirs in zip(rates["guest"], rates["plain"], strict=True))
    show(f"{path} over HTTP, guest beside plain", ratio, "")


async def load(port: int, path: str, seconds: float) -> list[float]:
    """Asks again and again on several connections. Returns how long each answer took, in seconds."""
    loop = asyncio.get_running_loop()
    taken: list[float] = []
    end = loop.time() + seconds
    clients = [
        await loop.create_connection(lambda: Client(path, end, taken), "127.0.0.1", port) for _ in range(CONNECTIONS)
    ]
    await asyncio.gather(*(client.done for _, client in clients))
    return taken


class Client(asyncio.Protocol):
    """One connection that always waits for one answer, whose head has a length."""

    def __init__(self, path: str, end: float, taken: list[float]) -> None:
        self._request = f"GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\nuser-agent: bench\r\n\r\n".encode()
        self._end = end
        self._taken = taken
        self._loop = asyncio.get_running_loop()
        self._data = b""
        self.done = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._asked = self._loop.time()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            self.done.set_exception(RuntimeError(head.decode()))
            self._transport.close()
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._data = b""
        now = self._loop.time()
        self._taken.append(now - self._asked)
        if now < self._end:
            self._ask()
        else:
            self._transport.close()
            self.done.set_result(None)


if __name__ == "__main__":
    main()
