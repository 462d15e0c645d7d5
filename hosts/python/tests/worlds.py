"""A world for tests: virtual time, a store in memory, and an upstream that takes as long as one seed decides."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from wasm_proactor import ErrorReport, Isolation, Limits, MemoryStore, Proactor, Request, Response, Stream, kv, origin
from wasm_proactor.conformance import VirtualClock
from wasm_proactor.conformance.idle_loop import IdleLoop

_T = TypeVar("_T")

ORIGIN = "https://upstream.test"


class SimulatedWorld:
    """One proactor and all that is around it."""

    def __init__(
        self, module: Path | bytes, *, isolation: Isolation = "pooled", seed: int = 1, limits: Limits | None = None
    ) -> None:
        self.loop = IdleLoop()
        self.clock = VirtualClock()
        self.random = Random(seed)
        self.reports: list[ErrorReport] = []
        self.upstream = Upstream(self)
        self.proactor = Proactor(
            module,
            isolation=isolation,
            limits=limits,
            clock=self.clock,
            console=lambda _line, _descriptor: None,
            on_error=self.reports.append,
            resources={
                "CACHE": kv(Slow(self, MemoryStore(self.clock))),
                "UPSTREAM": origin(ORIGIN, fetcher=self.upstream),
            },
        )

    async def pause(self, ms_max: float) -> None:
        """Some time."""
        done = self.loop.create_future()
        timer = self.clock.call_later(self.random.uniform(0, ms_max), lambda: done.set_result(None))
        try:
            await done
        finally:
            timer.cancel()

    def spawn(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> "asyncio.Task[_T]":
        """Begins work, and lets happen what follows at once."""
        tasks: list[asyncio.Task[_T]] = []
        self.loop.run_until_idle(lambda: tasks.append(self.loop.create_task(work())))
        return tasks[0]

    def request(self, path: str) -> "asyncio.Task[tuple[int, bytes]]":
        """Sends a request; the task gives status and body."""

        async def send() -> tuple[int, bytes]:
            response = await self.proactor.fetch(Request("GET", f"http://guest.test{path}"))
            return response.status, await response.read()

        return self.spawn(send)

    def cancel(self, task: "asyncio.Task[Any]") -> None:
        self.loop.run_until_idle(task.cancel)

    def settle(self, timers_max: int = 1_000_000) -> None:
        """Lets time pass until nothing is due any more, or so many timers have fired."""
        for _ in range(timers_max):
            if not self.clock.is_armed:
                return
            self.loop.run_until_idle(self.clock.fire_next)

    def close(self) -> None:
        """Nothing may be left but what a test has failed over."""
        self.loop.run_until_idle(lambda: [task.cancel() for task in asyncio.all_tasks(self.loop)])
        self.loop.close()


class Slow:
    """A store that takes its time."""

    def __init__(self, world: SimulatedWorld, store: MemoryStore) -> None:
        self._world = world
        self._store = store

    async def _later(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        await self._world.pause(20)
        return call(*args, **options)

    def get(self, *args: Any, **options: Any) -> Any:
        return self._later(self._store.get, *args, **options)

    def put(self, *args: Any, **options: Any) -> Any:
        return self._later(self._store.put, *args, **options)

    def delete(self, *args: Any, **options: Any) -> Any:
        return self._later(self._store.delete, *args, **options)

    def list(self, *args: Any, **options: Any) -> Any:
        return self._later(self._store.list, *args, **options)


class Upstream:
    """Answers with the path, in pieces. Counts what it has begun and what it is rid of again."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._world = world
        self.active = 0
        self.open_bodies = 0

    async def fetch(self, request: Request) -> Response:
        self.active += 1
        try:
            await self._world.pause(100)
            if self._world.random.random() < 0.1:
                raise ConnectionError("the connection failed")
        finally:
            self.active -= 1
        self.open_bodies += 1
        return Response(200, [], Stream(self._pieces(request.url.removeprefix(ORIGIN).encode()), self._closed))

    def _closed(self) -> None:
        self.open_bodies -= 1

    async def _pieces(self, text: bytes) -> AsyncIterator[bytes]:
        await self._world.pause(10)
        yield text[:3]
        await self._world.pause(10)
        self.open_bodies -= 1
        yield text[3:]
