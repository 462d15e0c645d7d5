"""Virtual clock: time that passes only when it is told to, so that a test waits for nothing and proves the rest."""

import math
from collections.abc import Callable


class _Timer:
    def __init__(self, timers: dict["_Timer", None], due: float, callback: Callable[[], object]) -> None:
        self._timers = timers
        self.due = due
        self.callback = callback
        timers[self] = None

    def cancel(self) -> None:
        self._timers.pop(self, None)


class VirtualClock:
    """Begins in 1970."""

    def __init__(self) -> None:
        self._now = 0.0
        # In the order in which they were armed.
        self._timers: dict[_Timer, None] = {}

    def now(self) -> float:
        return self._now

    wall = now

    def call_later(self, ms: float, callback: Callable[[], object]) -> _Timer:
        return _Timer(self._timers, self._now + max(0.0, ms), callback)

    @property
    def is_armed(self) -> bool:
        """Whether anything is due at all."""
        return bool(self._timers)

    @property
    def earliest(self) -> float:
        """When the earliest timer is due; infinity if none is armed."""
        return min((timer.due for timer in self._timers), default=math.inf)

    def fire_next(self) -> None:
        """Moves time to the earliest timer, of equals the first armed, and fires it."""
        timer = min(self._timers, key=lambda timer: timer.due)
        timer.cancel()
        self.move_to(timer.due)
        timer.callback()

    def move_to(self, now: float) -> None:
        """Moves time without firing anything; `fire_next` catches up."""
        self._now = max(self._now, now)
