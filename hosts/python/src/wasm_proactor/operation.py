"""Operation: one submission from its admission to its final completion."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .abi import DETACHED, Status
from .failure import message_of, status_of
from .message import Response, close_body

if TYPE_CHECKING:
    from .context import Context
    from .deadlines import Deadline
    from .submission import Submission

# Characters of a failure's message: libraries put whole documents into theirs.
_MESSAGE_LENGTH_MAX = 1024


class Completion:
    """What `poll` writes as one record."""

    __slots__ = ("auxiliary", "demanded", "flags", "generation", "opcode", "payload", "resource", "slot", "status")

    def __init__(self, slot: int, generation: int, opcode: int) -> None:
        self.slot = slot
        self.generation = generation
        self.opcode = opcode
        self.status: int = Status.OK
        self.flags = 0
        self.resource = 0
        self.payload = b""
        self.auxiliary = 0
        self.demanded = False
        """Whether `poll` has told the guest that its arena is too small for this one."""


@dataclass(slots=True)
class Outcome:
    """How an operation succeeded."""

    auxiliary: int = 0
    payload: bytes = b""
    response: Response | None = None
    """A response whose body the guest gets as a resource."""


Work = Callable[["Operation"], Outcome | Coroutine[Any, Any, Outcome] | None]
"""What an operation does: at once, later, or by arranging that it is settled. The submission is gone by then."""


class Processor(Protocol):
    """The host's half of one kind of operation."""

    name: str
    """As the guest's author knows it."""
    flags: int
    """The operation's own submission flags."""
    of_instance: bool
    """Whether it belongs to the instance rather than to the context that submits it."""
    relieves: bool
    """Whether some are welcome when the host is full, and all during a shutdown: they end something."""
    tells: bool
    """Whether it only tells the host something, which it hears even when it is full or shutting down."""

    def decode(self, submission: Submission, context: Context) -> Work:
        """Reads and checks the arguments, inside `submit`. Raises a Failure and has changed nothing."""

    def makes_room(self, submission: Submission, context: Context) -> bool:
        """Whether this one is admitted even when the host is full."""


class BaseProcessor:
    """What most processors have in common."""

    flags = 0
    of_instance = False
    relieves = False
    tells = False

    def makes_room(self, _submission: Submission, _context: Context) -> bool:
        return False


class Operation(Completion):
    """An operation in flight, and then its final completion."""

    __slots__ = ("_deadline", "_detached", "_since", "_task", "context", "held_bytes", "settled", "shielded", "target")

    def __init__(self, context: Context, submission: Submission) -> None:
        super().__init__(submission.slot, submission.generation, submission.opcode)
        self.context = context
        self.target = submission.resource
        """The resource that it works on; closing that one cancels this."""
        self.held_bytes = submission.argument_bytes
        """Bytes of arguments that the host holds for it."""
        self.settled = False
        """Whether the final completion is decided. What comes later is disposed of."""
        self.shielded = False
        """Whether its work has gone so far that it runs to its end, wanted or not."""
        self._detached = submission.flags & DETACHED != 0
        self._task: asyncio.Task[None] | None = None
        self._deadline: Deadline | None = None
        self._since: float | None = None

    # Work that takes time.

    def start(self, work: Coroutine[Any, Any, Outcome]) -> None:
        """Performs the work in a task of its own."""
        self._task = asyncio.get_running_loop().create_task(self._perform(work))

    async def _perform(self, work: Coroutine[Any, Any, Outcome]) -> None:
        try:
            outcome = await work
        except asyncio.CancelledError as error:
            self.fail(error)
            raise
        except Exception as error:
            self.fail(error)
        else:
            self.succeed(outcome)

    def abort(self) -> None:
        """Tells the work that nobody wants its result."""
        if self._task:
            # Not before it has begun: what never began would not clean up either.
            self._task.get_loop().call_soon(self._cancel)

    def _cancel(self) -> None:
        if self._task and not self.shielded:
            self._task.cancel()

    # Time.

    def set_deadline(self, ms: int) -> None:
        """Ends the operation as TimedOut after `ms` milliseconds."""
        self._expire(ms, lambda: self.end(Status.TIMED_OUT, "the deadline passed"))

    def complete_after(self, ms: int) -> None:
        """Ends the operation with success after `ms` milliseconds."""
        self._expire(ms, lambda: self.succeed(Outcome()))

    def _expire(self, ms: int, expire: Callable[[], None]) -> None:
        """Of a deadline and a timer only the earlier can matter. Both count from the first look at the clock."""
        deadlines = self.context.deadlines
        if self._since is None:
            self._since = self.context.host.clock.now()
        added = deadlines.add(ms, expire, self._since)
        previous = self._deadline
        if previous and previous.due <= added.due:
            deadlines.remove(added)
            return
        if previous:
            deadlines.remove(previous)
        self._deadline = added

    # The end.

    def succeed(self, outcome: Outcome) -> None:
        """Completes it. A result that nobody will see is let go of, once."""
        if self.settled:
            self.context.host.counters.late += 1
            if outcome.response:
                close_body(outcome.response.body)
            return
        self.auxiliary = outcome.auxiliary
        self.payload = outcome.payload
        if outcome.response:
            self.resource = self.context.add_body(outcome.response)
        self._settle()

    def fail(self, error: BaseException) -> None:
        """Completes it with what was raised."""
        if self.settled:
            self.context.host.counters.late += 1
        else:
            self._fail(status_of(error), message_of(error)[:_MESSAGE_LENGTH_MAX])

    def end(self, status: Status, message: str) -> None:
        """Ends it from outside: its work is aborted and its final completion queued, both in this turn."""
        if not self.settled:
            self._fail(status, message)
            self.abort()

    def _fail(self, status: Status, message: str) -> None:
        self.status = status
        self.payload = message.encode("utf-8", "replace")
        self._settle()
        self.report_unhandled(message)

    def report_unhandled(self, message: str) -> None:
        """Tells the host's owner of a failure that no handler waits for."""
        if self._detached:
            self.context.report_unhandled(self, message)

    def abandon(self) -> None:
        """Ends it without a completion: its context is over."""
        self.settled = True
        self.context.instance.held_bytes -= self.held_bytes

    def _settle(self) -> None:
        self.settled = True
        if self._deadline:
            self.context.deadlines.remove(self._deadline)
        self.context.operation_settled(self)
