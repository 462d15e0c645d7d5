"""Report: what the host tells its owner, and what a client may know of it."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .message import Response

ReportKind = Literal["trap", "unanswered", "unhandled", "dropped", "unexpected", "open"]


class Token(NamedTuple):
    """Names one submission for ever."""

    slot: int
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReport:
    """Something that went wrong and that no handler of the guest has dealt with.

    `trap`: the module trapped. `unanswered`: a context fell silent without a response. `unhandled`: an operation failed
    that has no handler. `dropped`: one failed in whose place another was taken. `unexpected`: the host's own fault, or
    that of `on_error`. `open`: the guest asked for a resource that was not granted.
    """

    kind: ReportKind
    message: str
    operation: str | None = None
    """The operation whose handler was running, or that failed."""
    token: Token | None = None
    status: int | None = None
    request: str | None = None
    """The request of the context, as `METHOD URL`."""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    cause: BaseException | None = None

    def __str__(self) -> str:
        """One line for a log."""
        token = f" {self.token.slot}:{self.token.generation}" if self.token else ""
        role = "the operation was" if self.kind in ("unhandled", "dropped") else "in the handler of"
        place = f" ({self.file}:{self.line}:{self.column})" if self.file else ""
        handler = f", {role} {self.operation}{token}" if self.operation else ""
        request = f", for {self.request}" if self.request else ""
        return f"wasm-proactor: {self.kind}: {self.message}{place}{handler}{request}"


OnError = Callable[[ErrorReport], None]


def log_error(report: ErrorReport) -> None:
    """What happens to a report that the owner does not ask for."""
    print(report, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class ContextFailure:
    """Why a context was not answered by the guest: a word for programs, a sentence for people."""

    error: str
    detail: str
    status: int = 500

    def response(self) -> Response:
        """The answer in the guest's place."""
        body = json.dumps({"error": self.error, "detail": self.detail}, separators=(",", ":")).encode()
        return Response(self.status, [("content-type", "application/json")], body)


SHUT_DOWN = ContextFailure("shutdown", "The host is shutting down.", 503)
TRAPPED = ContextFailure("trap", "The module trapped while it handled this request.")
CONDEMNED = ContextFailure("condemned", "The instance that served this request was replaced.")
UNEXPECTED = ContextFailure("unexpected", "The host failed while it handled this request.")
ABANDONED = ContextFailure("abandoned", "The client went away.")
