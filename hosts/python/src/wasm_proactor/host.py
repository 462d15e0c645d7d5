"""Host: what contexts and instances need of the proactor that owns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from .deadlines import Clock
    from .instance import Instance
    from .limits import Limits
    from .operation import Operation
    from .report import ErrorReport
    from .request_context import RequestContext
    from .resource import Fetcher

Shutdown = Literal["graceful", "now"]
"""How a host shuts down: what is in flight completes before, or at once."""


@dataclass(slots=True)
class Counters:
    """How many of each there have been, or are now."""

    contexts: int = 0
    """Requests that have not ended, now."""
    in_flight: int = 0
    """Operations admitted and not yet delivered, now; an instance's accept is one."""
    completed: int = 0
    """Final completions delivered."""
    refused: int = 0
    """Submissions refused because a limit was reached."""
    late: int = 0
    """Results that came after their operation had ended; disposed of."""
    reclaimed: int = 0
    """Completions of ended contexts, by which the guest's slots were freed."""
    traps: int = 0
    """Turns that ended in a trap."""
    killed: int = 0
    """Requests whose client went away before the answer."""
    instances: int = 0
    """Instances that exist, now."""
    instantiated: int = 0
    """Instances made since the start."""


class Host(Protocol):
    """The proactor as its instances and contexts see it."""

    clock: Clock
    limits: Limits
    counters: Counters
    shutdown_mode: Shutdown | None

    @property
    def fetcher(self) -> Fetcher:
        """What sends requests where a grant has nothing of its own."""

    def report(self, report: ErrorReport) -> None: ...

    def find(self, instance: Instance, slot: int, generation: int) -> Operation | None:
        """The operation in flight in any request of this instance that has this token."""

    def trapped(self, context: RequestContext, cause: Exception) -> None:
        """A turn of this context ended in a trap."""

    def release(self, context: RequestContext) -> None:
        """This context has ended."""
