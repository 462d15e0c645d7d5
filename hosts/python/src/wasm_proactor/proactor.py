"""Proactor: instances of one module, and which of them serves which request.

`isolation` decides how far a trap reaches. "request": a new instance for each request. "pooled": one request at a time
in each instance, which is reused after a clean end. "shared": many requests at once in one instance; an abort of the
guest costs one of them, anything worse costs them all, and a new instance takes over.

All of it runs on the event loop's thread: no lock is needed, because nobody else gets a turn while the guest has one.
"""

from __future__ import annotations

import asyncio
import os
from typing import Literal, get_args

from .abi import Status
from .asgi import Receive, Scope, Send, serve_http, serve_lifespan
from .client import Client
from .deadlines import Clock, SystemClock
from .engine import Linked
from .failure import message_of
from .host import Counters, Shutdown
from .instance import GuestAbort, Instance
from .limits import Limits
from .message import Request, Response
from .module import Module, ModuleError
from .names import check_names
from .operation import Operation
from .processors import name_of
from .report import CONDEMNED, SHUT_DOWN, TRAPPED, UNEXPECTED, ErrorReport, OnError, Token, log_error
from .request_context import RequestContext
from .resource import Grant, Grants
from .wasi import Console, RandomSource, system_console, system_random

Isolation = Literal["request", "pooled", "shared"]
ISOLATIONS: tuple[Isolation, ...] = get_args(Isolation)


class Proactor:
    """Serves requests by a guest. An ASGI 3 application: `await proactor(scope, receive, send)`."""

    def __init__(
        self,
        module: Module | bytes | str | os.PathLike[str],
        *,
        resources: Grants | None = None,
        isolation: Isolation = "pooled",
        limits: Limits | None = None,
        on_error: OnError = log_error,
        clock: Clock | None = None,
        random: RandomSource = system_random,
        console: Console = system_console,
    ) -> None:
        """Compiles the module, unless it is compiled, and sees that it starts; raises a ModuleError if it does not.

        `resources`: what the guest may open, by name: `kv(…)` and `origin(…)`. `on_error`: told of what no handler of
        the guest has dealt with. `clock`, `random` and `console` are the world as the guest sees it, for tests.
        """
        check_names("isolation", [isolation], ISOLATIONS)
        for name, grant in (resources or {}).items():
            if not isinstance(grant, Grant):
                raise TypeError(f"resources[{name!r}]: this is no grant; wrap it in kv() or origin()")
        if limits is not None and not isinstance(limits, Limits):
            raise TypeError(f"limits: {limits!r} are none; write Limits(in_flight=…)")
        self.limits = limits or Limits()
        self.clock: Clock = clock or SystemClock()
        self.counters = Counters()
        self.shutdown_mode: Shutdown | None = None
        self._grants = dict(resources or {})
        self._isolation = isolation
        self._on_error = on_error
        self._random = random
        self._console = console
        self._linked = Linked(_compiled(module).compiled, self.limits.run_ms, self.limits.grow_bytes)
        # Instances that a request may have: clean, and for itself unless isolation is "shared".
        self._idle: list[Instance] = []
        # What they weigh: memory never shrinks.
        self._idle_bytes = 0
        # Requests that have not ended.
        self._contexts: dict[RequestContext, None] = {}
        self._emptied: asyncio.Event | None = None
        self._client = Client()
        self._keep_idle(self._instantiate())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3: http and lifespan. The guest sees the path below the one where this is mounted."""
        if scope["type"] == "http":
            await serve_http(self.begin, scope, receive, send)
        elif scope["type"] == "lifespan":
            await serve_lifespan(self.shutdown, receive, send)
        else:
            raise ValueError(f'a guest of proactor_v1 has no events of type "{scope["type"]}"')

    async def fetch(self, request: Request) -> Response:
        """Answers one request by the guest, without HTTP. Whoever cancels this ends the request.

        Raises nothing of its own: what goes wrong is a response with status 500, and a report.
        """
        context = await self.begin(request)
        return await context.answered() if isinstance(context, RequestContext) else context

    async def begin(self, request: Request) -> RequestContext | Response:
        """Runs the first turn of a request, for adapters: the context has the answer, or will have it."""
        # A store may call back into this method from inside `submit`. Once its stack has unwound the module is free.
        if self._idle and self._idle[0].current:
            await asyncio.sleep(0)
        if self.shutdown_mode:
            return SHUT_DOWN.response()
        context: RequestContext | None = None
        try:
            context = RequestContext(self, self._check_out(), request)
            self.counters.contexts += 1
            self._contexts[context] = None
            context.accept()
        except Exception as error:
            self.report(ErrorReport(kind="unexpected", message=message_of(error), cause=error))
            if context is None:
                return UNEXPECTED.response()
            context.fail(UNEXPECTED)
        return context

    async def shutdown(self, mode: Shutdown = "graceful") -> None:
        """Ends the proactor; returns when no request, no instance and no connection is left.

        Requests that come from now on are answered with 503, and operations that are submitted from now on complete
        as ShutDown. Graceful: what is in flight completes as it would have. Now: it ends as ShutDown, and its request
        after its handlers have heard so. A graceful shutdown can be cut short by a second call.
        """
        check_names("shutdown", [mode], get_args(Shutdown))
        if self.shutdown_mode != "now":
            self.shutdown_mode = mode
        while instance := self._take_idle():
            if instance.contexts == 0:
                instance.retire()  # A shared one in use goes with its last request.
        for context in self._contexts:
            if accept := context.instance.accept:
                accept.end(Status.SHUT_DOWN, SHUT_DOWN.detail)
            if self.shutdown_mode == "now":
                context.hasten()
            elif context.instance.owes_turn:
                context.wake()
        if self._contexts:
            self._emptied = self._emptied or asyncio.Event()
            await self._emptied.wait()
        await self._client.close(now=self.shutdown_mode == "now")

    @property
    def fetcher(self) -> Client:
        """What sends requests where a grant has nothing of its own."""
        return self._client

    # Instances.

    def _instantiate(self) -> Instance:
        try:
            return Instance(self, self._linked, self._grants, self._random, self._console)
        except Exception as error:
            place = f" ({error.file}:{error.line}:{error.column})" if isinstance(error, GuestAbort) else ""
            raise ModuleError(f"the module trapped while it started: {message_of(error)}{place}") from error

    def _check_out(self) -> Instance:
        if self._isolation != "shared":
            return self._take_idle() or self._instantiate()
        if self._idle:
            instance = self._idle[0]
            if not instance.is_worn_out:
                return instance
            if instance.contexts == 0:
                instance.retire()
        self._idle[:1] = [self._instantiate()]
        return self._idle[0]

    def find(self, instance: Instance, slot: int, generation: int) -> Operation | None:
        """The operation in flight in any request of this instance that has this token."""
        for context in self._contexts:
            if context.instance is instance and (operation := context.find(slot, generation)):
                return operation
        return None

    def release(self, context: RequestContext) -> None:
        """This context has ended."""
        instance = context.instance
        self.counters.contexts -= 1
        self._contexts.pop(context, None)
        instance.weigh()
        if self._isolation == "shared":
            self._leave(context)
        elif self._is_reusable(instance):
            self._keep_idle(instance)
        else:
            instance.retire()
        if not self._contexts and self._emptied:
            self._emptied.set()

    def _keep_idle(self, instance: Instance) -> None:
        self._idle.append(instance)
        self._idle_bytes += instance.weight

    def _take_idle(self) -> Instance | None:
        if not self._idle:
            return None
        instance = self._idle.pop()
        self._idle_bytes -= instance.weight
        return instance

    def _leave(self, context: RequestContext) -> None:
        """One request less in a shared instance. One that was replaced goes with its last."""
        instance = context.instance
        instance.reclaim(context)
        # Nobody else might have a turn for a long time, and they wait for what this one held.
        if instance.owes_turn and not instance.retired:
            for other in self._contexts:
                if other.instance is instance and other.waits:
                    other.wake()
        if instance.contexts == 0 and instance not in self._idle:
            instance.retire()

    def _is_reusable(self, instance: Instance) -> bool:
        if self.shutdown_mode or self._isolation == "request" or instance.retired:
            return False
        # The accept alone may be in flight; anything else belonged to a request that did not end well.
        if instance.admitted > 1 or instance.is_worn_out:
            return False
        return self._idle_bytes + instance.weight <= self.limits.idle_bytes

    def trapped(self, context: RequestContext, cause: Exception) -> None:
        """A turn of this context ended in a trap."""
        instance = context.instance
        self.counters.traps += 1
        instance.traps += 1
        self.report(_trap_report(context, cause))
        is_shared = self._isolation == "shared"
        # The guest itself said so, and can go on with other requests.
        is_contained = is_shared and isinstance(cause, GuestAbort) and instance.traps < self.limits.traps
        if not is_contained:
            instance.retire()
        context.fail(TRAPPED)
        if is_shared and not is_contained:
            self._condemn(instance)

    def _condemn(self, instance: Instance) -> None:
        """Fails all requests of a shared instance. The next request gets a new one."""
        if instance in self._idle:
            self._idle.remove(instance)
        for context in [context for context in self._contexts if context.instance is instance]:
            context.fail(CONDEMNED)

    # Reports.

    def report(self, report: ErrorReport) -> None:
        """Tells the owner."""
        try:
            self._on_error(report)
        except Exception as error:
            log_error(ErrorReport(kind="unexpected", message=f"on_error raised: {message_of(error)}", cause=error))


def _compiled(module: Module | bytes | str | os.PathLike[str]) -> Module:
    return module if isinstance(module, Module) else Module(module)


def _trap_report(context: RequestContext, cause: Exception) -> ErrorReport:
    running = context.instance.queue.running()
    place = cause if isinstance(cause, GuestAbort) else None
    return ErrorReport(
        kind="trap",
        message=message_of(cause),
        operation=name_of(running) if running else None,
        token=Token(running.slot, running.generation) if running else None,
        request=context.title,
        file=place.file if place else None,
        line=place.line if place else None,
        column=place.column if place else None,
        cause=cause,
    )
