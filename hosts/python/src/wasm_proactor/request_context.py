"""Request context: one incoming request, from its accept to its response and the end of what it started.

It is quiet when nothing is in flight and nothing is pending. Quiet after the response is the end; quiet before it would
be a request that never ends, and is answered 500 at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .abi import MORE, EventKind, Opcode, Status
from .context import Context
from .failure import message_of
from .operation import Completion
from .pairs import combine, encode_pairs
from .processors import name_of
from .report import ABANDONED, SHUT_DOWN, UNEXPECTED, ContextFailure, ErrorReport, Token
from .resource import Exchange

if TYPE_CHECKING:
    from .host import Host
    from .instance import Instance
    from .message import Request, Response


class RequestContext(Context):
    """A request and everything that was started on its behalf."""

    def __init__(self, host: Host, instance: Instance, request: Request) -> None:
        super().__init__(host, instance)
        self.ended = False
        self._exchange = Exchange(request)
        self._failure: ContextFailure | None = None
        self._scheduled = False
        self._loop = asyncio.get_running_loop()
        self._answered: asyncio.Future[None] | None = None
        """Done as soon as there is an answer, if somebody waits for it."""
        instance.contexts += 1

    @property
    def title(self) -> str:
        request = self._exchange.request
        return f"{request.method} {request.url}"

    # From the request to the response.

    def accept(self) -> None:
        """Delivers the request as a completion of the instance's accept, and runs the first turn."""
        accept = self.instance.accept
        if accept is None:
            return self._give_up("The module accepts no requests: call serve() while it starts.")
        request = self._exchange.request
        headers = combine(request.headers) if self.instance.wants_headers else []
        completion = Completion(accept.slot, accept.generation, accept.opcode)
        completion.flags = MORE
        completion.resource = self.add_resource(self._exchange)
        # HTTP sends no fragment, but a Request that a program made may have one.
        completion.payload = encode_pairs([(request.method, request.url.partition("#")[0]), *headers])
        completion.auxiliary = EventKind.FETCH
        self.pending.append(completion)
        return self.turn()

    @property
    def answer(self) -> Response | None:
        """The answer: the guest's, or the host's in its place."""
        return self._exchange.response or (self._failure.response() if self._failure else None)

    async def answered(self) -> Response:
        """Waits for the answer. Who is cancelled while he waits has gone away, which ends the context."""
        if not self._is_answered:
            self._answered = self._loop.create_future()
            try:
                await self._answered
            except asyncio.CancelledError:
                self.kill()
                raise
        answer = self.answer
        assert answer, "it was answered"
        return answer

    @property
    def _is_answered(self) -> bool:
        return self._exchange.response is not None or self._failure is not None

    def kill(self) -> None:
        """The client has gone away: what is not answered yet is over."""
        if self.ended or self._is_answered:
            return
        self.host.counters.killed += 1
        self.fail(ABANDONED)

    # Turns.

    @property
    def due(self) -> int:
        """A turn delivers what belongs to no request too."""
        return len(self.pending) + len(self.instance.context.pending)

    def wake(self) -> None:
        """All that settles in one round of the event loop is delivered by one turn."""
        if not self._scheduled and not self.ended and self.instance.current is not self:
            self._scheduled = True
            self._loop.call_soon(self.turn)

    def hasten(self) -> None:
        """Has a turn soon, even if it has let others go first: the host is being shut down."""
        self._loop.call_soon(self.turn)

    def turn(self) -> None:
        """Calls the guest, and sees what has become of the request."""
        self._scheduled = False
        try:
            if not self.ended:
                self._run()
        except Exception as cause:
            # In a callback of the event loop nobody else could answer.
            self.host.report(ErrorReport(kind="unexpected", message=message_of(cause), request=self.title, cause=cause))
            self.fail(UNEXPECTED)
        self._tell()

    def _run(self) -> None:
        is_last = self.host.shutdown_mode == "now"
        if is_last:
            for operation in list(self.in_flight.values()):
                operation.end(Status.SHUT_DOWN, SHUT_DOWN.detail)
        trap = self.instance.run(self)
        if self.ended:
            return
        if trap:
            self.host.trapped(self, trap)
        elif is_last:
            self.fail(SHUT_DOWN)
        elif self.due > 0:
            self._yield()
        elif not self.in_flight:
            self._fall_silent()

    def _yield(self) -> None:
        """Lets other callbacks of the event loop go first."""
        self._scheduled = True
        self.deadlines.add(0, self.turn)

    def _tell(self) -> None:
        """Wakes who waits for the answer."""
        if self._answered and self._is_answered and not self._answered.done():
            self._answered.set_result(None)

    def _fall_silent(self) -> None:
        if self._exchange.response:
            return self._end()
        if self.host.shutdown_mode:
            return self.fail(SHUT_DOWN)
        last = self.instance.queue.last
        # In a shared instance, others may have taken what this turn was for, and their own last poll nothing.
        if last is None:
            return self._give_up("No handler ran.")
        if last.opcode == Opcode.RESPOND and last.status < 0:
            return self._give_up("The answer was refused, and no other came.", last, last.payload)
        what = f"The handler of {name_of(last)} ran last and started nothing"
        return self._give_up(f"{what}: answer with exchange.respond() on every path.", last)

    def _give_up(self, detail: str, last: Completion | None = None, why: bytes = b"") -> None:
        """Answers at once what would never be answered. Why is for the owner alone: it may quote the guest."""
        self.host.report(
            ErrorReport(
                kind="unanswered",
                message=f"{detail} {why.decode('utf-8', 'replace')}" if why else detail,
                operation=name_of(last) if last else None,
                token=Token(last.slot, last.generation) if last else None,
                request=self.title,
            )
        )
        self.fail(ContextFailure("unanswered", detail))

    @property
    def waits(self) -> bool:
        """Whether it waits for another context, in a way that the guest alone knows."""
        return any(operation.opcode == Opcode.WAIT for operation in self.in_flight.values())

    # The end.

    def fail(self, failure: ContextFailure) -> None:
        """Ends this context without waiting for the guest."""
        if self.ended:
            return
        self._failure = failure
        self._end()
        self._tell()

    def _end(self) -> None:
        self.ended = True
        self.instance.contexts -= 1
        self.abandon()
        self.host.release(self)
        self.let_go()
