"""What this host costs, in one run: `python bench.py` after `npm run build`.

The border, the queue, the start of an instance, and a request as ASGI hands it over. Beside a plain handler and behind
a server it is measured by `npm run bench:hosts`, as all hosts are.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterable, MutableMapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import wasmtime

from wasm_proactor import MemoryStore, Proactor, Request, kv, origin
from wasm_proactor.engine import Linked, compile_module

ROOT = Path(__file__).parents[2]
ROUNDS = 5


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(f"Python {sys.version.split()[0]}, wasmtime {version('wasmtime')}, {os.cpu_count()} processors\n")
    border()
    completions()
    start_up()
    in_process()


def show(what: str, value: float, unit: str) -> None:
    print(f"{what:<52}{value:>12,.2f} {unit}")


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
                response = await app.fetch(Request("GET", f"http://localhost/pummel?count={count}&size={batch}"))
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


def guest(**options: Any) -> Proactor:
    store = MemoryStore()
    store.put("key", b"a value of some length")
    return Proactor(
        ROOT / "build/worker.wasm",
        resources={"CACHE": kv(store), "UPSTREAM": origin("http://127.0.0.1:1")},
        **options,
    )


def in_process() -> None:
    headers = [(b"host", b"localhost"), (b"accept", b"*/*"), (b"user-agent", b"bench")]

    async def measure(app: Proactor, path: str) -> float:
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

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.body":
                bodies.append(message["body"])

        count = 2_000
        begin = time.process_time()
        for _ in range(count):
            await app(scope, receive, send)
        taken = time.process_time() - begin
        assert len(bodies) == count
        return taken / count * 1e6

    async def all_of(apps: Iterable[tuple[str, Proactor]]) -> None:
        for path in ("/hello", "/kv/key"):
            for name, app in apps:
                least = min([await measure(app, path) for _ in range(ROUNDS)])
                show(f"{path} as ASGI, without a server, {name}", least, "µs")

    asyncio.run(all_of([("pooled", guest()), ("new each time", guest(isolation="request"))]))


if __name__ == "__main__":
    main()
