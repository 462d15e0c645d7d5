"""Serve: a module behind uvicorn, from the flags to the last signal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from .flags import BadUse, Flags, KvFlag, parse_flags
from .kv_memory import MemoryStore
from .kv_sqlite import SqliteStore
from .module import ModuleError
from .proactor import Proactor
from .resource import Grant, KvGrant, kv, origin

if TYPE_CHECKING:
    import uvicorn

_BAD_USE = 2


def main(arguments: Sequence[str]) -> int:
    """Serves what the command line says until a signal comes. Returns the exit code."""
    try:
        flags = parse_flags(arguments)
        listening = _listen(flags)
        app = _app_of(flags)
        server = _server(app, listening)
    except (BadUse, ModuleError, OSError, ValueError) as error:
        # Whatever keeps it from starting is something that the caller has given.
        print(error, file=sys.stderr)
        return _BAD_USE
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(_serve(app, server, listening))
    return 0


def _app_of(flags: Flags) -> Proactor:
    grants: dict[str, Grant] = {name: _kv_grant(flag) for name, flag in flags.kv.items()}
    grants |= {name: origin(*urls) for name, urls in flags.origins.items()}
    return Proactor(flags.module, isolation=flags.isolation, resources=grants)


def _kv_grant(flag: KvFlag) -> KvGrant:
    return kv(_opened(flag.path) if flag.path else MemoryStore(), flag.rights)


def _opened(path: str) -> SqliteStore:
    try:
        return SqliteStore(path)
    except sqlite3.Error as error:
        # It does not name the file.
        raise BadUse(f"{path} cannot be opened: {error}") from error


def _listen(flags: Flags) -> socket.socket:
    family = socket.AF_INET6 if ":" in flags.host else socket.AF_INET
    return socket.create_server((flags.host, flags.port), family=family, backlog=2048)


def _server(app: Proactor, listening: socket.socket) -> uvicorn.Server:
    try:
        import uvicorn
    except ImportError:
        raise BadUse("serve needs a server: pip install 'wasm-proactor[serve]'") from None

    class Server(uvicorn.Server):
        """Says where it listens, and leaves signals to us: it would end the process by the one that has ended it."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            host, port = listening.getsockname()[:2]
            print(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    # The proactor is shut down by the signal itself, not by the lifespan: what is under way ends meanwhile.
    config = uvicorn.Config(app, lifespan="off", ws="none", log_level="warning", access_log=False)
    # Longer than clients keep theirs: who closes first must not be who is being written to.
    config.timeout_keep_alive = 75
    return Server(config)


async def _serve(app: Proactor, server: uvicorn.Server, listening: socket.socket) -> None:
    ending: list[asyncio.Task[None]] = []

    def end() -> None:
        """The first signal lets what is under way end well, the second does not."""
        server.should_exit = True
        ending.append(asyncio.ensure_future(_end_now(app, server) if ending else app.shutdown()))

    with _on_signals(end):
        await server.serve([listening])
    await asyncio.gather(*ending)


async def _end_now(app: Proactor, server: uvicorn.Server) -> None:
    server.force_exit = True
    await app.shutdown("now")
    for connection in list(server.server_state.connections):
        if transport := getattr(connection, "transport", None):
            transport.close()


@contextlib.contextmanager
def _on_signals(end: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        # Not every platform's loop hears signals.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(end))
    try:
        yield
    finally:
        for number in signals:
            signal.signal(number, signal.SIG_DFL)
