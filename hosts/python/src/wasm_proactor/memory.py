"""Memory: the guest's linear memory, seen through checks.

The guest is not trusted. A pointer and a length become a range only if the range lies inside the memory as it is now,
and the host looks only while an import runs. The engine reserves the addresses of the largest memory, so growth moves
nothing: a view that is too short is the only thing that growth can cause, and it is renewed when a range lies outside.
"""

import ctypes
from typing import Protocol

from .pairs import decode_text


class LinearMemory(Protocol):
    """What the engine knows of it."""

    def base(self) -> int:
        """The address of its first byte."""

    def size(self) -> int:
        """Bytes, as many as it has now."""


class Memory:
    """Checked access; all pointers and lengths are unsigned 32-bit numbers."""

    def __init__(self, memory: LinearMemory) -> None:
        self._memory = memory
        self.size = 0
        self.view = memoryview(b"")
        self._renew()

    def _renew(self) -> None:
        self.size = self._memory.size()
        array = (ctypes.c_ubyte * self.size).from_address(self._memory.base())
        self.view = memoryview(array).cast("B")

    def release(self) -> None:
        """Forgets the memory, which is about to end."""
        self.size = 0
        self.view = memoryview(b"")

    def contains(self, at: int, length: int) -> bool:
        """Whether `length` bytes from `at` lie inside."""
        if at + length <= self.size:
            return True
        if self.size != self._memory.size():
            self._renew()
        return at + length <= self.size

    def copy(self, at: int, length: int) -> bytes:
        """A copy of a range that `contains` has accepted."""
        return bytes(self.view[at : at + length])

    def text(self, at: int, length: int) -> str:
        """The UTF-8 text in a range that `contains` has accepted. Raises Invalid if it is none."""
        return decode_text(self.view[at : at + length])
