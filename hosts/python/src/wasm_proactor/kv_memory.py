"""KV in memory: a namespace that ends with the process."""

from bisect import bisect_right
from dataclasses import dataclass

from .deadlines import Clock, SystemClock
from .resource import KvKey, KvPage, KvValue


@dataclass(slots=True)
class _Entry:
    value: bytes
    expiration: int | None
    metadata: object


class MemoryStore:
    """Keys and values in a dict. Lists keys in the order of their UTF-8 bytes."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._entries: dict[str, _Entry] = {}

    def _live(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is None or entry.expiration is None or entry.expiration * 1000 > self._clock.wall():
            return entry
        del self._entries[key]
        return None

    def get(self, key: str, *, cache_ttl: int | None = None, metadata: bool = False) -> KvValue | None:
        """The value, or None if there is no such key."""
        entry = self._live(key)
        return KvValue(entry.value, entry.metadata) if entry else None

    def put(
        self,
        key: str,
        value: bytes,
        *,
        expiration: int | None = None,
        expiration_ttl: int | None = None,
        metadata: object = None,
    ) -> None:
        """Writes. Of both expirations the one from now counts."""
        ends = expiration if expiration_ttl is None else int(self._clock.wall() // 1000) + expiration_ttl
        self._entries[key] = _Entry(value, ends, metadata)

    def delete(self, key: str) -> None:
        """Removes the key, if it is there."""
        self._entries.pop(key, None)

    def list(self, prefix: str = "", *, limit: int = 1000, cursor: str | None = None) -> KvPage:
        """A page of the keys that start with `prefix`; its cursor is the last key of the page before."""
        # Python compares texts by code points, and so do their UTF-8 bytes.
        names = sorted(name for name in list(self._entries) if name.startswith(prefix) and self._live(name))
        start = bisect_right(names, cursor) if cursor else 0
        page = names[start : start + limit]
        keys = [KvKey(name, self._entries[name].expiration, self._entries[name].metadata) for name in page]
        return KvPage(keys, page[-1] if start + limit < len(names) else None)
