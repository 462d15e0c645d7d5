"""Failure: an error that becomes a completion's status, with a message that travels as its payload."""

from .abi import Status


class Failure(Exception):
    """What is wrong with an operation."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = status


class StoreError(Exception):
    """What a KV store raises. The status is what the guest gets: RATE_LIMITED, QUOTA, INVALID, TOO_BIG or FAILED."""

    def __init__(self, message: str, status: Status = Status.FAILED) -> None:
        super().__init__(message)
        self.status = status


def status_of(error: BaseException) -> Status:
    """The status for whatever a processor raised."""
    return error.status if isinstance(error, Failure) else Status.FAILED


def message_of(error: BaseException) -> str:
    """Some exceptions have no words of their own."""
    return str(error) or type(error).__name__
