"""Many requests that overlap, are left, trap and fall silent: afterwards nothing is left, whatever the isolation."""

import asyncio
from collections.abc import Iterator
from random import Random
from typing import get_args

import pytest

from conftest import built
from wasm_proactor import Isolation
from worlds import SimulatedWorld

ISOLATIONS: tuple[Isolation, ...] = get_args(Isolation)

KINDS = [
    *("ok", "ok", "ok", "forward", "later", "slow", "chain", "large", "wait", "wait-after", "hold"),
    *("trap", "trap-at-once", "unreachable", "out-of-bounds", "overflow", "silent", "silent-at-once"),
]
TRAPS = {"trap", "trap-at-once", "unreachable", "out-of-bounds", "overflow"}


@pytest.fixture(params=ISOLATIONS)
def isolation(request: pytest.FixtureRequest) -> Isolation:
    value: Isolation = request.param
    return value


@pytest.fixture
def world(isolation: Isolation, request: pytest.FixtureRequest) -> Iterator[SimulatedWorld]:
    seed = request.node.callspec.params.get("seed", 1)
    world = SimulatedWorld(built("test/isolation.wasm"), isolation=isolation, seed=seed)
    yield world
    world.close()


def expect_nothing_left(world: SimulatedWorld) -> None:
    counters = world.proactor.counters
    assert asyncio.all_tasks(world.loop) == set()
    assert (counters.contexts, counters.in_flight) == (0, counters.instances)
    assert (world.upstream.active, world.upstream.open_bodies) == (0, 0)
    assert not world.clock.is_armed


@pytest.mark.parametrize("seed", range(1, 9))
def test_nothing_is_left_of_requests_that_end_anyhow(world: SimulatedWorld, isolation: Isolation, seed: int) -> None:
    random = Random(seed)
    sent: list[tuple[str, asyncio.Task[tuple[int, bytes]]]] = []
    for number in range(150):
        kind = random.choice(KINDS)
        sent.append((kind, world.request(f"/{kind}/{number}")))
        world.settle(random.randrange(6))
        if random.random() < 0.3:
            world.cancel(random.choice(sent)[1])
    world.settle()
    assert all(task.done() for _, task in sent)
    for kind, task in sent:
        if not task.cancelled():
            status, body = task.result()
            if kind in TRAPS:
                assert (status, b"trap" in body or b"condemned" in body) == (500, True)
            elif kind == "ok":
                assert status == 200 or b"condemned" in body
    # A healthy request frees what those before it left in a shared instance.
    task = world.request("/state/last")
    world.settle()
    status, body = task.result()
    assert (status, body.split()[1]) == (200, b"0")
    expect_nothing_left(world)
    shutdown = world.spawn(world.proactor.shutdown)
    assert shutdown.done()
    assert (world.proactor.counters.instances, world.proactor.counters.in_flight) == (0, 0)


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_shutdown_now_ends_everything_at_once(world: SimulatedWorld, seed: int) -> None:
    random = Random(seed)
    tasks = [world.request(f"/{random.choice(KINDS)}/{number}") for number in range(40)]
    world.settle(20)
    shutdown = world.spawn(lambda: world.proactor.shutdown("now"))
    assert shutdown.done()
    assert world.proactor.counters.contexts == 0
    # The store runs on, for a write that has begun is not torn; and so do the bodies of answers.
    world.settle()
    assert all(task.done() for task in tasks)
    expect_nothing_left(world)
    assert world.proactor.counters.instances == 0


def test_a_request_that_never_waits_lets_others_have_their_turn(world: SimulatedWorld) -> None:
    spinning = world.request("/spin/a")
    other = world.request("/state/b")
    world.settle(3)
    assert other.done()
    assert not spinning.done()
    world.cancel(spinning)
    last = world.request("/state/c")
    world.settle()
    assert last.result()[0] == 200
    assert world.proactor.counters.killed == 1
    expect_nothing_left(world)


def test_whoever_goes_away_is_counted_and_not_reported(world: SimulatedWorld) -> None:
    task = world.request("/wait/a")
    assert not task.done()
    world.cancel(task)
    world.settle()
    assert task.cancelled()
    assert (world.proactor.counters.killed, world.reports) == (1, [])
