"""Connections: at most so many calls of one context wait for their answer at once; more wait here, in order.

Queueing here keeps the order fair and lets a cancelled operation leave the queue without ever having started.
"""

import asyncio
from collections import deque


class Connections:
    """Those of one context."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> asyncio.Future[None] | None:
        """Takes a connection: at once if one is free, else when what it returns is done. `wait` for that."""
        if self._free:
            self._free -= 1
            return None
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        return turn

    async def wait(self, turn: asyncio.Future[None] | None) -> None:
        """Waits for a connection that was not free. Who is cancelled meanwhile has none and is in nobody's way."""
        if turn is None:
            return
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif not turn.cancelled():
                self.hand_on()
            raise

    def hand_on(self) -> None:
        """Hands a connection on to whoever waits first: were it free for a moment, a newcomer could overtake."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
