"""Deadlines: everything of one context that is due at a time, with one timer armed for the earliest.

A heap, since most deadlines are taken back before they are due: one that was, stays until it comes up. Ties go by order
of submission.
"""

import asyncio
import math
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol


class Timer(Protocol):
    """What can be taken back."""

    def cancel(self) -> None:
        """The callback is not called any more."""


class Clock(Protocol):
    """The host's time and timers; virtual in tests."""

    def now(self) -> float:
        """Milliseconds from any start; never goes back."""

    def wall(self) -> float:
        """Milliseconds since 1970."""

    def call_later(self, ms: float, callback: Callable[[], object]) -> Timer:
        """Calls back on the event loop, no earlier than in `ms` milliseconds."""


class SystemClock:
    """The time of the machine, and timers of the running event loop."""

    def now(self) -> float:
        return time.monotonic() * 1000

    def wall(self) -> float:
        return time.time() * 1000

    def call_later(self, ms: float, callback: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(ms / 1000, callback)


class Deadline:
    """One thing that is due at `due`, unless it is cancelled before."""

    __slots__ = ("due", "expire", "order")

    def __init__(self, due: float, order: int, expire: Callable[[], object]) -> None:
        self.due = due
        self.order = order
        self.expire: Callable[[], object] | None = expire

    def __lt__(self, other: "Deadline") -> bool:
        return (self.due, self.order) < (other.due, other.order)


class Deadlines:
    """Those of one context."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[Deadline] = []
        self._live = 0
        self._order = 0
        self._timer: Timer | None = None
        self._armed_for = math.inf

    def add(self, ms: float, expire: Callable[[], object], since: float | None = None) -> Deadline:
        """Calls `expire` no earlier than `ms` milliseconds after `since`, unless it is removed before."""
        start = self._clock.now() if since is None else since
        deadline = Deadline(start + ms, self._order, expire)
        self._order += 1
        self._live += 1
        heappush(self._heap, deadline)
        self._arm()
        return deadline

    def remove(self, deadline: Deadline) -> None:
        """Takes it back, if it has not expired."""
        if deadline.expire is None:
            return
        deadline.expire = None
        self._live -= 1
        # A timer that fires for nothing is cheaper than arming another one now. But none may outlive its context.
        if self._live == 0:
            self.clear()

    def clear(self) -> None:
        """Takes back everything."""
        for deadline in self._heap:
            deadline.expire = None
        self._heap.clear()
        self._live = 0
        self._disarm()

    def _arm(self) -> None:
        earliest = self._heap[0].due
        if earliest >= self._armed_for:
            return
        self._disarm()
        self._armed_for = earliest
        self._timer = self._clock.call_later(max(0.0, earliest - self._clock.now()), self._fire)

    def _disarm(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        self._armed_for = math.inf

    def _fire(self) -> None:
        # The timer's own word counts too: a loop may call back a little before the clock says so.
        now = max(self._clock.now(), self._armed_for)
        self._timer = None
        self._armed_for = math.inf
        # What is added meanwhile waits for the next timer, even if it is due now: it means to let others go first.
        end = self._order
        while self._heap and self._heap[0].due <= now and self._heap[0].order < end:
            deadline = heappop(self._heap)
            expire = deadline.expire
            if expire:
                deadline.expire = None
                self._live -= 1
                expire()
        if self._live > 0:
            self._arm()
        else:
            self._heap.clear()
