"""Context: what belongs together because it was started on behalf of one request.

Each context has operations, resources, a timer and a queue of completions of its own, and no completion of one is ever
delivered in another's turn. The instance has a context too, for what belongs to no request: its accept, and slots to be
reclaimed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

from .abi import Status
from .connections import Connections
from .deadlines import Deadlines
from .failure import Failure
from .message import Response
from .processors import name_of
from .report import ErrorReport, Token
from .resource import Exchange, FetchedBody, Resource, Source

if TYPE_CHECKING:
    from .host import Host
    from .instance import Instance
    from .operation import Completion, Operation
    from .submission import Submission

_R = TypeVar("_R")


class Context:
    """The instance's, or by its subclass a request's."""

    def __init__(self, host: Host, instance: Instance) -> None:
        self.host = host
        self.instance = instance
        self.in_flight: dict[int, Operation] = {}
        """Admitted operations that have not completed, by slot."""
        self.pending: deque[Completion] = deque()
        """Completions that wait for a turn. Each has had its place since admission: it counts until it is polled."""
        self._resources: dict[int, Resource] = {}
        self._deadlines: Deadlines | None = None
        self._connections: Connections | None = None

    # Made on demand: many a request needs neither.

    @property
    def deadlines(self) -> Deadlines:
        if self._deadlines is None:
            self._deadlines = Deadlines(self.host.clock)
        return self._deadlines

    @property
    def connections(self) -> Connections:
        if self._connections is None:
            self._connections = Connections(self.host.limits.connections)
        return self._connections

    @property
    def title(self) -> str:
        """The event as reports name it."""
        return "the start of the module"

    @property
    def due(self) -> int:
        """How many completions wait for a turn."""
        return len(self.pending)

    def wake(self) -> None:
        """Makes sure that a turn will deliver what is pending. The instance's context is served by every turn."""

    # Operations.

    def find(self, slot: int, generation: int) -> Operation | None:
        """The operation in flight that has this token."""
        operation = self.in_flight.get(slot)
        return operation if operation and operation.generation == generation else None

    def operation_settled(self, operation: Operation) -> None:
        """Takes an operation's final completion."""
        if self.in_flight.get(operation.slot) is operation:
            del self.in_flight[operation.slot]
        self.instance.held_bytes -= operation.held_bytes
        self.pending.append(operation)
        self.wake()

    def report_unhandled(self, operation: Operation, message: str) -> None:
        self.host.report(
            ErrorReport(
                kind="unhandled",
                message=message,
                operation=name_of(operation),
                token=Token(operation.slot, operation.generation),
                status=operation.status,
                request=self.title,
            )
        )

    # Resources.

    def add_resource(self, resource: Resource) -> int:
        """A number for it."""
        number = self.instance.take_resource_number()
        self._resources[number] = resource
        return number

    def add_body(self, response: Response) -> int:
        """A number for the body of a response."""
        return self.add_resource(FetchedBody(response))

    def resource(self, number: int) -> Resource | None:
        """A resource of this context or of its instance. Another context's is not found."""
        return self._resources.get(number) or self.instance.context._resources.get(number)

    def resource_of(self, number: int, kind: type[_R]) -> _R:
        """The same, if it is of this kind. Raises BadResource."""
        resource = self.resource(number)
        if isinstance(resource, kind):
            return resource
        which = f"resource {number}" if number else "what was not granted"
        raise Failure(Status.BAD_RESOURCE, f"{which} is not of the kind that this needs, or not of this context")

    def body_of(self, number: int) -> Source:
        """The exchange or the fetched body that has this number. Raises BadResource."""
        resource = self.resource(number)
        if isinstance(resource, Exchange | FetchedBody):
            return resource
        raise Failure(Status.BAD_RESOURCE, f"resource {number} is no exchange and no body of this context")

    def source_of(self, submission: Submission, number: int) -> Source | None:
        """What has the body to be sent instead of the submission's own bytes; none if the number is 0."""
        if number == 0:
            return None
        source = self.body_of(number)
        if submission.data_bytes:
            raise Failure(Status.INVALID, "give bytes or a resource, not both")
        return source

    def body_bytes_max(self, asked: int) -> int:
        """Bytes of a body that the guest gets at most: as many as it asks for, 0 for all, up to the host's limit."""
        most = self.host.limits.body_bytes
        return min(asked or most, most)

    def owns(self, number: int) -> bool:
        """Whether the resource is this context's own to close."""
        return number in self._resources

    def close_resource(self, number: int) -> None:
        """Gives a resource of this context back, if there is one, and cancels what is in flight on it."""
        resource = self._resources.get(number)
        if resource is None:
            return
        for operation in list(self.in_flight.values()):
            if operation.target == number:
                operation.end(Status.CANCELLED, "its resource was closed")
        del self._resources[number]
        self.instance.resources -= 1
        if isinstance(resource, FetchedBody):
            resource.dispose()

    def check_resources(self) -> None:
        """Raises Again if the guest holds as many resources as it may."""
        if self.instance.resources >= self.host.limits.resources:
            raise Failure(Status.AGAIN, "too many resources are held: close some")

    # The end.

    def abandon(self) -> None:
        """Ends what is in flight without completions, and counts nothing as held."""
        for operation in self.in_flight.values():
            operation.abandon()
        self.instance.resources -= len(self._resources)

    def let_go(self) -> None:
        """Aborts and closes what is left."""
        if self._deadlines:
            self._deadlines.clear()
        for operation in self.in_flight.values():
            operation.abort()
        self.in_flight.clear()
        for resource in self._resources.values():
            if isinstance(resource, FetchedBody):
                resource.dispose()
        self._resources.clear()
