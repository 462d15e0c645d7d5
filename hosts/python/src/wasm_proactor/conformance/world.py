"""World: what is around the host. Its store and its network return when the script says so."""

import asyncio
import base64
import platform
import re
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from typing import Any

from ..abi import Status
from ..failure import StoreError
from ..limits import Limits
from ..message import Body, Request, Response, Stream
from ..module import ModuleError
from ..pairs import combine
from ..proactor import Proactor
from ..report import ErrorReport
from ..resource import Grant, KvKey, KvPage, KvValue, kv, origin
from .idle_loop import IdleLoop
from .virtual_clock import VirtualClock

Json = dict[str, Any]

_STORE_ERRORS = {
    "rate-limited": Status.RATE_LIMITED,
    "quota": Status.QUOTA,
    "invalid": Status.INVALID,
    "too-big": Status.TOO_BIG,
    "failed": Status.FAILED,
}


class World:
    """Performs one command after the other."""

    def __init__(self) -> None:
        self._reply: Json = {}
        self._begin()

    def _begin(self) -> None:
        self._loop = IdleLoop()
        self._clock = VirtualClock()
        self._proactor: Proactor | None = None
        # Calls that have not returned, and how often each name was called.
        self._pending: dict[str, _Call] = {}
        self._named: dict[str, int] = {}
        self._clients: dict[str, asyncio.Task[None]] = {}
        self._random = 0

    def close(self) -> None:
        """Ends everything: what waits for the script waits no longer."""
        for call in self._pending.values():
            call.heeds = True
        self._loop.run_until_idle(lambda: [task.cancel() for task in asyncio.all_tasks(self._loop)])
        self._loop.close()

    def perform(self, command: Json) -> Json:
        """Works a command off, and says what was to be seen meanwhile."""
        self._reply = {}
        until = self._clock.now() + command.get("ms", 0)
        if command["do"] == "start":
            self.close()
            self._begin()
            until = 0
        self._loop.run_until_idle(lambda: self._attempt(command))
        while self._clock.earliest <= until:
            self._loop.run_until_idle(self._clock.fire_next)
        self._clock.move_to(until)
        return self._reply

    def _attempt(self, command: Json) -> None:
        try:
            getattr(self, f"_{command['do']}")(command)
        except Exception as error:
            self._reply["error"] = str(error)

    def _tell(self, field: str, what: object) -> None:
        self._reply.setdefault(field, []).append(what)

    # Commands.

    def _hello(self, _command: Json) -> None:
        self._reply["host"] = f"Python {platform.python_version()}"
        self._reply["engine"] = f"wasmtime {version('wasmtime')}"

    def _start(self, command: Json) -> None:
        resources = {name: self._grant(name, grant) for name, grant in command.get("resources", {}).items()}
        limits = {re.sub("[A-Z]", r"_\g<0>", name).lower(): value for name, value in command.get("limits", {}).items()}
        isolation = {"isolation": command["isolation"]} if "isolation" in command else {}
        try:
            self._proactor = Proactor(
                command["module"],
                resources=resources,
                limits=Limits(**limits),
                clock=self._clock,
                random=self._next_random,
                console=lambda line, _descriptor: self._tell("console", line),
                on_error=lambda report: self._tell("reports", _report(report)),
                **isolation,
            )
        except ModuleError:
            self._reply["refused"] = True

    def _next_random(self, count: int) -> bytes:
        start, self._random = self._random, self._random + count
        return bytes(index & 0xFF for index in range(start, start + count))

    def _request(self, command: Json) -> None:
        body = _stream(command["body"]) if "body" in command else None
        headers = [(name, value) for name, value in command.get("headers", [])]
        request = Request(command.get("method", "GET"), command["url"], headers, body)
        self._clients[command["id"]] = self._loop.create_task(self._answer(command["id"], request))

    async def _answer(self, client: str, request: Request) -> None:
        assert self._proactor
        response = await self._proactor.fetch(request)
        answer: Json = {"id": client, "status": response.status, "headers": combine(response.headers)}
        data, is_broken = await _read(response.body)
        answer["body"] = _text(data)
        if is_broken:
            answer["broken"] = True
        self._tell("answers", answer)

    def _complete(self, command: Json) -> None:
        for entry in command["calls"]:
            call = self._pending.pop(entry["call"], None)
            if call is None:
                raise ValueError(f'no call "{entry["call"]}" waits; there are: {", ".join(self._pending)}')
            call.set_result(entry.get("with", {}))

    def _advance(self, _command: Json) -> None:
        """Time passes while the command is performed."""

    def _abandon(self, command: Json) -> None:
        self._clients[command["id"]].cancel()

    def _shutdown(self, command: Json) -> None:
        assert self._proactor
        task = self._loop.create_task(self._proactor.shutdown(command["mode"]))
        task.add_done_callback(lambda _task: self._reply.update(shutDown=True))

    def _counters(self, _command: Json) -> None:
        if self._proactor:
            counters = self._proactor.counters
            self._reply["counters"] = {
                re.sub("_([a-z])", lambda letter: letter[1].upper(), name): getattr(counters, name)
                for name in counters.__slots__
            }

    # What is granted.

    def _grant(self, name: str, grant: Json) -> Grant:
        if "kv" in grant:
            return kv(_Store(self, name), grant["kv"])
        return origin(*grant["origins"], fetcher=_Network(self, name))

    def call(self, name: str, details: Json, on_abort: Callable[[str], None] = lambda _name: None) -> "_Call":
        """Tells of a call. It is done when the script lets it return, and not earlier, whoever cancels it."""
        count = self._named[name] = self._named.get(name, 0) + 1
        name = name if count == 1 else f"{name} #{count}"
        self._tell("calls", {"call": name, **details})
        self._pending[name] = _Call(self._loop, lambda: on_abort(name))
        return self._pending[name]

    def tell_aborted(self, name: str) -> None:
        self._tell("aborted", name)

    def tell_closed(self, name: str) -> None:
        self._tell("closed", name)

    def name_of(self, call: "_Call") -> str:
        return next(name for name, pending in self._pending.items() if pending is call)


class _Call(asyncio.Future[Any]):
    """Does not heed that it is cancelled, and tells of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_abort: Callable[[], None] = lambda: None) -> None:
        super().__init__(loop=loop)
        self._on_abort = on_abort
        self.heeds = False

    def cancel(self, msg: object = None) -> bool:
        if self.heeds:
            return super().cancel(msg)
        self._on_abort()
        return False


async def _returned(call: _Call) -> Json:
    """What the script lets a call return with, even if nobody wants it any more."""
    try:
        await call
    except asyncio.CancelledError:
        if not call.done() or call.cancelled():
            raise
    result: Json = call.result()
    return result


class _Store:
    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    async def _call(self, what: str, **details: object) -> Json:
        present = {key: value for key, value in details.items() if value is not None}
        result = await _returned(self._world.call(f"{self._name} {what}", present))
        if "error" in result:
            raise StoreError(result["error"], _STORE_ERRORS[result["error"]])
        return result

    async def get(self, key: str, *, cache_ttl: int | None, metadata: bool) -> KvValue | None:
        result = await self._call(f"get {key}", cacheTtl=cache_ttl, metadata=metadata or None)
        value = result.get("value")
        return None if value is None else KvValue(_bytes(value), result.get("metadata"))

    async def put(
        self, key: str, value: bytes, *, expiration: int | None, expiration_ttl: int | None, metadata: object
    ) -> None:
        await self._call(
            f"put {key}", value=_text(value), expiration=expiration, expirationTtl=expiration_ttl, metadata=metadata
        )

    async def delete(self, key: str) -> None:
        await self._call(f"delete {key}")

    async def list(self, prefix: str, *, limit: int, cursor: str | None) -> KvPage:
        result = await self._call(f"list {prefix}", limit=limit, cursor=cursor)
        keys = [KvKey(key["name"], key.get("expiration"), key.get("metadata")) for key in result.get("keys", [])]
        return KvPage(keys, result.get("cursor"))


class _Network:
    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    async def fetch(self, request: Request) -> Response:
        data, is_broken = await _read(request.body)
        body: object = {"breaks": data.decode()} if is_broken else _text(data)
        details: Json = {"headers": combine(request.headers)} | ({"body": body} if body else {})
        call = self._world.call(f"{self._name} {request.method} {request.url}", details, self._world.tell_aborted)
        name = self._world.name_of(call)
        result = await _returned(call)
        if "error" in result:
            raise ConnectionError(result["error"])
        headers = [(name, value) for name, value in result.get("headers", [])]
        content = _stream(result["body"], lambda: self._world.tell_closed(name)) if "body" in result else None
        return Response(result.get("status", 200), headers, content)


# Bodies and texts.


def _bytes(text: str | Json) -> bytes:
    return text.encode() if isinstance(text, str) else base64.b64decode(text["base64"])


def _text(data: bytes) -> str | Json:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _stream(body: str | Json, on_close: Callable[[], None] | None = None) -> Stream:
    """A body that is read piece by piece, and tells if it is let go of before its end."""
    return Stream(_pieces(body), on_close)


async def _pieces(body: str | Json) -> AsyncIterator[bytes]:
    end = "" if isinstance(body, str) else next(iter(body))
    data = _bytes(body[end] if end in ("breaks", "stalls") and not isinstance(body, str) else body)
    if data:
        yield data
    if end == "breaks":
        raise ConnectionError("the transfer broke off")
    if end == "stalls":
        await asyncio.get_running_loop().create_future()


async def _read(body: Body) -> tuple[bytes, bool]:
    """What there is of a body, and whether it broke off."""
    if not isinstance(body, Stream):
        return body or b"", False
    data = b""
    try:
        async for piece in body:
            data += piece
    except ConnectionError:
        return data, True
    return data, False


def _report(report: ErrorReport) -> Json:
    fields: Json = {
        "kind": report.kind,
        "message": report.message,
        "operation": report.operation,
        "token": report.token and [*report.token],
        "status": report.status,
        "file": report.file,
        "line": report.line,
        "column": report.column,
        "request": report.request,
    }
    return {name: value for name, value in fields.items() if value is not None}
