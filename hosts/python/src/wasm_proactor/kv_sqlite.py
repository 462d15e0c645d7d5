"""KV on SQLite: a namespace in a file, which several processes may use.

A read by key waits for nobody (the journal is a write-ahead log) and takes less time than to hand it to a thread, so it
runs on the event loop. Writes wait for the disk and lists look at many rows: these run in a thread of the store's own.
"""

import asyncio
import json
import os
import sqlite3
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .abi import Status
from .deadlines import Clock, SystemClock
from .failure import StoreError
from .resource import KvKey, KvPage, KvValue

_T = TypeVar("_T")

# Keys are bytes, because SQLite's functions end a text at U+0000. Their order is the one that KV promises.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY, value BLOB NOT NULL, expiration INTEGER, metadata TEXT)
WITHOUT ROWID
"""
# What has ended is found without a look at every row, however large their values are.
_INDEX = "CREATE INDEX IF NOT EXISTS kv_expiration ON kv (expiration) WHERE expiration IS NOT NULL"
_GET = "SELECT value, metadata FROM kv WHERE key = ? AND (expiration IS NULL OR expiration > ?)"
_PUT = "INSERT OR REPLACE INTO kv (key, value, expiration, metadata) VALUES (?, ?, ?, ?)"
_EXPIRE = "DELETE FROM kv WHERE expiration <= ?"
_DELETE = "DELETE FROM kv WHERE key = ?"
_LIST = """
SELECT key, expiration, metadata FROM kv
WHERE key > :cursor AND key >= :start AND (:end IS NULL OR key < :end) AND (expiration IS NULL OR expiration > :now)
ORDER BY key LIMIT :limit
"""


class SqliteStore:
    """Keys and values in the file at `path`, which is made if it is not there."""

    def __init__(self, path: str | os.PathLike[str], clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._writer = _connect(path)
        self._writer.execute(_SCHEMA)
        self._writer.execute(_INDEX)
        self._reader = _connect(path)
        self._thread = ThreadPoolExecutor(1, "wasm-proactor-sqlite")
        self._close = weakref.finalize(self, _close, self._thread, self._reader, self._writer)

    def get(self, key: str, *, cache_ttl: int | None = None, metadata: bool = False) -> KvValue | None:
        """The value, or None if there is no such key."""
        try:
            row = self._reader.execute(_GET, (key.encode(), self._seconds())).fetchone()
        except sqlite3.Error as error:
            raise _store_error(error) from error
        if row is None:
            return None
        return KvValue(row[0], json.loads(row[1]) if metadata and row[1] else None)

    async def put(
        self,
        key: str,
        value: bytes,
        *,
        expiration: int | None = None,
        expiration_ttl: int | None = None,
        metadata: object = None,
    ) -> None:
        """Writes. Of both expirations the one from now counts."""
        now = self._seconds()
        ends = expiration if expiration_ttl is None else now + expiration_ttl
        text = None if metadata is None else json.dumps(metadata)

        def put() -> None:
            self._writer.execute(_EXPIRE, (now,))
            self._writer.execute(_PUT, (key.encode(), value, ends, text))

        await self._in_thread(put)

    async def delete(self, key: str) -> None:
        """Removes the key, if it is there."""
        await self._in_thread(lambda: self._writer.execute(_DELETE, (key.encode(),)))

    async def list(self, prefix: str = "", *, limit: int = 1000, cursor: str | None = None) -> KvPage:
        """A page of the keys that start with `prefix`; its cursor is the last key of the page before."""
        start = prefix.encode()
        bounds = {"cursor": (cursor or "").encode(), "start": start, "end": _end_of(start)}
        wanted = {**bounds, "now": self._seconds(), "limit": limit + 1}
        rows = await self._in_thread(lambda: self._writer.execute(_LIST, wanted).fetchall())
        keys = [
            KvKey(key.decode(), expiration, json.loads(metadata) if metadata else None)
            for key, expiration, metadata in rows[:limit]
        ]
        return KvPage(keys, keys[-1].name if len(rows) > limit else None)

    def close(self) -> None:
        """Closes the file, as the end of the store does. What was begun is finished."""
        self._close()

    def _seconds(self) -> int:
        return int(self._clock.wall() // 1000)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise _store_error(error) from error


def _close(thread: ThreadPoolExecutor, *connections: sqlite3.Connection) -> None:
    thread.shutdown()
    for connection in connections:
        connection.close()


def _connect(path: str | os.PathLike[str]) -> sqlite3.Connection:
    # In autocommit each statement is a transaction of its own. One thread at a time uses a connection.
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _end_of(prefix: bytes) -> bytes | None:
    """The first key behind those that start with `prefix`; None if there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None


def _store_error(error: sqlite3.Error) -> StoreError:
    is_full = error.sqlite_errorcode == sqlite3.SQLITE_FULL if hasattr(error, "sqlite_errorcode") else False
    return StoreError(str(error), Status.QUOTA if is_full else Status.FAILED)
