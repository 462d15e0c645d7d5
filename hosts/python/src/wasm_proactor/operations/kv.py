"""KV: reads, writes, removes and lists the keys of a granted namespace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..abi import (
    KV_CACHE_TTL_SECONDS_MIN,
    KV_KEY_BYTES_MAX,
    KV_LIST_COUNT_MAX,
    KV_METADATA,
    KV_METADATA_BYTES_MAX,
    KV_SECONDS_MAX,
    KV_TTL_SECONDS_MIN,
    KV_VALUE_BYTES_MAX,
    Status,
)
from ..failure import Failure, StoreError, message_of
from ..operation import BaseProcessor, Operation, Outcome, Work
from ..pairs import encode_pairs
from ..resource import KvGrant, KvKey, KvPage, KvRight, KvStore, KvValue, MaybeAwaitable

if TYPE_CHECKING:
    from ..context import Context
    from ..submission import Submission

_T = TypeVar("_T")


class KvGet(BaseProcessor):
    name = "kv.get"
    flags = KV_METADATA

    def decode(self, submission: Submission, context: Context) -> Work:
        store = _store_of(submission, context, "read")
        key = _key_of(submission)
        cache_ttl = _seconds("cacheTtl", submission.argument_0, KV_CACHE_TTL_SECONDS_MIN)
        wants_metadata = submission.flags & KV_METADATA != 0
        bytes_max = context.host.limits.body_bytes
        return lambda operation: _use(
            operation,
            lambda: store.get(key, cache_ttl=cache_ttl, metadata=wants_metadata),
            lambda found: _found(found, wants_metadata, bytes_max),
        )


def _found(found: KvValue | None, wants_metadata: bool, bytes_max: int) -> Outcome:
    """Metadata, then value."""
    if found is None:
        raise Failure(Status.NOT_FOUND, "kv: there is no such key")
    if len(found.value) > bytes_max:
        raise Failure(Status.TOO_BIG, f"kv: the value has more than {bytes_max} bytes")
    if not wants_metadata:
        return Outcome(payload=found.value)
    head = _metadata_text(found.metadata).encode()
    return Outcome(payload=head + found.value, auxiliary=len(head))


class KvPut(BaseProcessor):
    name = "kv.put"

    def decode(self, submission: Submission, context: Context) -> Work:
        store = _store_of(submission, context, "write")
        key = _key_of(submission)
        _check_bytes("a value", submission.data_bytes, KV_VALUE_BYTES_MAX)
        soonest = int(context.host.clock.wall() // 1000) + KV_TTL_SECONDS_MIN
        expiration = _seconds("expiration", submission.argument_0, soonest)
        expiration_ttl = _seconds("expirationTtl", submission.argument_1, KV_TTL_SECONDS_MIN)
        metadata = _metadata_of(submission)
        value = submission.data()
        return lambda operation: _use(
            operation,
            lambda: store.put(key, value, expiration=expiration, expiration_ttl=expiration_ttl, metadata=metadata),
            _nothing,
        )


class KvDelete(BaseProcessor):
    name = "kv.delete"

    def decode(self, submission: Submission, context: Context) -> Work:
        store = _store_of(submission, context, "write")
        key = _key_of(submission)
        return lambda operation: _use(operation, lambda: store.delete(key), _nothing)


class KvList(BaseProcessor):
    name = "kv.list"

    def decode(self, submission: Submission, context: Context) -> Work:
        store = _store_of(submission, context, "list")
        limit = submission.argument_0 or KV_LIST_COUNT_MAX
        if limit > KV_LIST_COUNT_MAX:
            raise Failure(Status.INVALID, f"kv: a list has at most {KV_LIST_COUNT_MAX} keys")
        _check_bytes("a prefix", submission.name_bytes, KV_KEY_BYTES_MAX)
        prefix = submission.name()
        cursor = submission.data_text() or None
        return lambda operation: _use(operation, lambda: store.list(prefix, limit=limit, cursor=cursor), _listed)


def _listed(page: KvPage) -> Outcome:
    tail = (page.cursor or "").encode("utf-8", "replace")
    return Outcome(payload=encode_pairs(map(_entry, page.keys), tail), auxiliary=len(page.keys))


def _entry(key: KvKey) -> tuple[str, str]:
    """A key, with its expiration in decimal digits (0: none), a space, and its metadata."""
    return key.name, f"{key.expiration or 0} {_metadata_text(key.metadata)}"


def _nothing(_result: object) -> Outcome:
    return Outcome()


# Arguments.


def _store_of(submission: Submission, context: Context, right: KvRight) -> KvStore:
    """The granted namespace. Raises BadResource or NotPermitted."""
    grant = context.resource_of(submission.resource, KvGrant)
    if right not in grant.rights:
        raise Failure(Status.NOT_PERMITTED, f'kv: the namespace was granted without "{right}"')
    return grant.store


def _key_of(submission: Submission) -> str:
    _check_bytes("a key", submission.name_bytes, KV_KEY_BYTES_MAX)
    key = submission.name()
    if key in ("", ".", ".."):
        raise Failure(Status.INVALID, f'kv: "{key}" is no key')
    return key


def _check_bytes(what: str, size: int, size_max: int) -> None:
    if size > size_max:
        raise Failure(Status.TOO_BIG, f"kv: {what} has at most {size_max} bytes")


def _seconds(what: str, seconds: int, least: int) -> int | None:
    """Not every store refuses what the contract does."""
    if seconds == 0:
        return None
    if not least <= seconds <= KV_SECONDS_MAX:
        raise Failure(Status.INVALID, f"kv: {what} is {least} to {KV_SECONDS_MAX} seconds")
    return seconds


def _metadata_of(submission: Submission) -> object:
    if submission.meta_bytes == 0:
        return None
    _check_bytes("metadata", submission.meta_bytes, KV_METADATA_BYTES_MAX)
    text = submission.meta_text()
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Failure(Status.INVALID, f"kv: metadata is no JSON: {message_of(error)}") from error


def _refuse(constant: str) -> None:
    """Python's JSON has infinities; the rest of the world's has not."""
    raise ValueError(f"{constant} is no number")


def _metadata_text(metadata: object) -> str:
    if metadata is None:
        return ""
    text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
    # Half a surrogate pair has no UTF-8 but by its escape.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


# Calls of the store.


def _use(
    operation: Operation, call: Callable[[], MaybeAwaitable[_T]], outcome_of: Callable[[_T], Outcome]
) -> Outcome | Coroutine[Any, Any, Outcome]:
    """One call of the store, on one of the context's connections. What is there at once needs no task."""
    turn = operation.context.connections.take()
    return _called(operation, call, outcome_of) if turn is None else _call_later(operation, turn, call, outcome_of)


async def _call_later(
    operation: Operation,
    turn: asyncio.Future[None],
    call: Callable[[], MaybeAwaitable[_T]],
    outcome_of: Callable[[_T], Outcome],
) -> Outcome:
    await operation.context.connections.wait(turn)
    outcome = _called(operation, call, outcome_of)
    return outcome if isinstance(outcome, Outcome) else await outcome


def _called(
    operation: Operation, call: Callable[[], MaybeAwaitable[_T]], outcome_of: Callable[[_T], Outcome]
) -> Outcome | Coroutine[Any, Any, Outcome]:
    operation.shielded = True
    try:
        result = call()
    except Exception as error:
        operation.context.connections.hand_on()
        raise _failure(error) from error
    # Many times as fast as inspect.isawaitable(), which knows of times before `async` too.
    if hasattr(result, "__await__"):
        return _finish(operation, cast(Awaitable[_T], result), outcome_of)
    operation.context.connections.hand_on()
    return outcome_of(result)


async def _finish(operation: Operation, result: Awaitable[_T], outcome_of: Callable[[_T], Outcome]) -> Outcome:
    try:
        found = await result
    except Exception as error:
        raise _failure(error) from error
    finally:
        operation.context.connections.hand_on()
    return outcome_of(found)


def _failure(error: Exception) -> Failure:
    status = error.status if isinstance(error, StoreError) else Status.FAILED
    return Failure(status, message_of(error))
