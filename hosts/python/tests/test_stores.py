"""The two stores promise the same."""

import asyncio
import sqlite3
from collections.abc import Iterator
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wasm_proactor import KvKey, KvPage, KvValue, MemoryStore, SqliteStore, Status, StoreError
from wasm_proactor.conformance import VirtualClock
from wasm_proactor.kv_sqlite import _EXPIRE

Store = MemoryStore | SqliteStore


@pytest.fixture
def clock() -> VirtualClock:
    clock = VirtualClock()
    clock.move_to(1_000_000)
    return clock


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore(clock)
    else:
        store = SqliteStore(tmp_path / "kv.db", clock)
        yield store
        store.close()


def wait(result: Any) -> Any:
    async def main() -> Any:
        return await result

    return asyncio.run(main()) if isawaitable(result) else result


def test_what_is_put_is_there_until_it_is_deleted(store: Store) -> None:
    assert store.get("a") is None
    wait(store.put("a", b"\x00\xff"))
    assert store.get("a") == KvValue(b"\x00\xff")
    wait(store.put("a", b""))
    assert store.get("a") == KvValue(b"")
    wait(store.delete("a"))
    wait(store.delete("a"))
    assert store.get("a") is None


def test_metadata_comes_back_if_it_is_wanted(store: Store) -> None:
    metadata = {"list": [1, None, "é"], "deep": {"true": True}}
    wait(store.put("a", b"v", metadata=metadata))
    assert store.get("a", metadata=True) == KvValue(b"v", metadata)
    assert wait(store.list()).keys == [KvKey("a", None, metadata)]


def test_a_key_ends_when_its_time_comes(store: Store, clock: VirtualClock) -> None:
    wait(store.put("at", b"", expiration=1_100))
    wait(store.put("after", b"", expiration_ttl=60))
    assert [key.expiration for key in wait(store.list()).keys] == [1_060, 1_100]
    clock.move_to(1_060_000)
    assert (store.get("after"), store.get("at")) == (None, KvValue(b""))
    clock.move_to(1_100_000)
    assert wait(store.list()) == KvPage([])


def test_what_is_written_anew_has_a_time_of_its_own(store: Store, clock: VirtualClock) -> None:
    wait(store.put("a", b"", expiration_ttl=60))
    wait(store.put("a", b"kept"))
    clock.move_to(2_000_000)
    assert store.get("a") == KvValue(b"kept")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    names=st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4), max_size=12),
    prefix=st.text(st.characters(exclude_categories=["Cs"]), max_size=2),
    limit=st.integers(1, 5),
)
def test_a_list_has_each_key_once_in_the_order_of_its_bytes(
    store: Store, names: set[str], prefix: str, limit: int
) -> None:
    for key in wait(store.list()).keys:
        wait(store.delete(key.name))
    for name in names:
        wait(store.put(name, b""))
    listed: list[str] = []
    page = wait(store.list(prefix, limit=limit))
    while True:
        assert len(page.keys) <= limit
        listed += [key.name for key in page.keys]
        if page.cursor is None:
            break
        page = wait(store.list(prefix, limit=limit, cursor=page.cursor))
    assert listed == sorted((name for name in names if name.startswith(prefix)), key=str.encode)


def test_a_file_is_shared_and_kept(tmp_path: Path) -> None:
    one, other = SqliteStore(tmp_path / "kv.db"), SqliteStore(tmp_path / "kv.db")
    wait(one.put("a", b"1"))
    assert other.get("a") == KvValue(b"1")
    one.close()
    other.close()
    again = SqliteStore(tmp_path / "kv.db")
    assert again.get("a") == KvValue(b"1")
    again.close()


def test_a_write_does_not_look_at_every_row(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "kv.db")
    plan = store._writer.execute(f"EXPLAIN QUERY PLAN {_EXPIRE}", (1,)).fetchall()
    assert [row[3].split()[0] for row in plan] == ["SEARCH"]
    store.close()


def test_what_sqlite_refuses_is_a_store_error(tmp_path: Path) -> None:
    path = tmp_path / "kv.db"
    store = SqliteStore(path)
    sqlite3.connect(path).execute("DROP TABLE kv").connection.close()
    with pytest.raises(StoreError) as raised:
        wait(store.put("a", b""))
    assert raised.value.status == Status.FAILED
    with pytest.raises(StoreError):
        store.get("a")
    store.close()
