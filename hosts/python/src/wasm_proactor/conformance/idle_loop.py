"""Idle loop: an event loop that runs until nothing more can happen by itself.

A loop that has nothing to do asks its selector to wait. Here that stops it: whoever runs it is back exactly when all
work has settled, and no number of rounds is guessed.
"""

import asyncio
import selectors
from collections.abc import Callable


class _Selector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.on_idle: Callable[[], object] = lambda: None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout != 0:
            self.on_idle()
        return super().select(0)


class IdleLoop(asyncio.SelectorEventLoop):
    """For worlds with virtual time and without sockets."""

    def __init__(self) -> None:
        selector = _Selector()
        super().__init__(selector)
        selector.on_idle = self.stop

    def run_until_idle(self, first: Callable[[], object]) -> None:
        """Calls `first`, and then all that follows from it."""
        self.call_soon(first)
        self.run_forever()
