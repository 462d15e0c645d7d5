"""WASI: console, clock and random numbers, as AssemblyScript's wasi-shim asks for them.

None of it reaches beyond that. What would have to wait answers with an error number: a wait would stop the event loop
and everybody on it.
"""

import codecs
import os
import struct
import sys
from collections.abc import Callable
from typing import Literal

from .deadlines import Clock
from .memory import Memory

Descriptor = Literal[1, 2]

Console = Callable[[str, Descriptor], None]
"""Takes a line that the guest has written to descriptor 1 or 2."""

RandomSource = Callable[[int], bytes]
"""Gives as many random bytes."""

_SUCCESS, _BADF, _FAULT, _INVAL, _NOSYS, _NOTSUP = 0, 8, 21, 28, 52, 58

# Pieces of memory in one call of fd_read or fd_write: as many as any system takes.
_PIECE_COUNT_MAX = 1024
# Characters after which a line is written though it has not ended: the guest might never end it.
_LINE_LENGTH_MAX = 8192
_RANDOM_BYTES_MAX = 65_536

_WORD = struct.Struct("<I")
_LONG = struct.Struct("<Q")
_PIECE = struct.Struct("<II")
_FDSTAT = struct.Struct("<BxHxxxxQQ")
_CHARACTER_DEVICE, _REGULAR_FILE = 2, 4
_RIGHT_TO_WRITE = 64


class GuestExit(Exception):
    """The guest called proc_exit, which is a trap like any other."""


class OutsideMemory(Exception):
    """The guest asked for a result where it has no memory, which is a trap."""


def system_console(line: str, descriptor: Descriptor) -> None:
    """Prints the guest's lines among the host's own."""
    print(line, file=sys.stdout if descriptor == 1 else sys.stderr, flush=True)


def system_random(count: int) -> bytes:
    """Random bytes of the operating system."""
    return os.urandom(count)


class Wasi:
    """The functions of `wasi_snapshot_preview1`, for one instance."""

    def __init__(self, memory: Memory, clock: Clock, random: RandomSource, console: Console) -> None:
        self._memory = memory
        self._clock = clock
        self._random = random
        self._open: dict[int, _Lines | None] = {0: None, 1: _Lines(console, 1), 2: _Lines(console, 2)}

    def args_get(self, _arguments: int, _texts: int) -> int:
        return _SUCCESS

    def args_sizes_get(self, count: int, size: int) -> int:
        self._store(count, _WORD.pack(0))
        self._store(size, _WORD.pack(0))
        return _SUCCESS

    environ_get = args_get
    environ_sizes_get = args_sizes_get

    def clock_res_get(self, clock: int, at: int) -> int:
        if clock > 1:
            return _NOSYS
        self._store(at, _LONG.pack(5_000 if clock else 1_000_000))
        return _SUCCESS

    def clock_time_get(self, clock: int, _precision: int, at: int) -> int:
        ms = self._clock.now() if clock else self._clock.wall()
        self._store(at, _LONG.pack(round(ms * 1_000_000)))
        return _SUCCESS

    def fd_close(self, descriptor: int) -> int:
        if descriptor not in self._open:
            return _BADF
        del self._open[descriptor]
        return _SUCCESS

    def fd_fdstat_get(self, descriptor: int, at: int) -> int:
        if descriptor not in self._open:
            return _BADF
        kind, rights = (_CHARACTER_DEVICE, _RIGHT_TO_WRITE) if descriptor else (_REGULAR_FILE, 0)
        self._store(at, _FDSTAT.pack(kind, 0, rights, 0))
        return _SUCCESS

    def fd_seek(self, descriptor: int, _offset: int, _whence: int, at: int) -> int:
        if descriptor not in self._open:
            return _BADF
        if descriptor:
            return _NOTSUP
        self._store(at, _LONG.pack(0))
        return _SUCCESS

    def fd_read(self, descriptor: int, _pieces: int, count: int, at: int) -> int:
        if count > _PIECE_COUNT_MAX:
            return _INVAL
        if descriptor not in self._open:
            return _BADF
        self._store(at, _WORD.pack(0))
        return _NOTSUP if descriptor else _SUCCESS

    def fd_write(self, descriptor: int, pieces: int, count: int, at: int) -> int:
        if count > _PIECE_COUNT_MAX:
            return _INVAL
        lines = self._open.get(descriptor)
        if lines is None:
            return _BADF
        written = 0
        for start, length in _PIECE.iter_unpack(self._load(pieces, count * _PIECE.size)):
            lines.write(self._load(start, length))
            written += length
        self._store(at, _WORD.pack(written))
        return _SUCCESS

    def poll_oneoff(self, _subscriptions: int, _events: int, _count: int, _at: int) -> int:
        return _NOTSUP

    def proc_exit(self, code: int) -> None:
        raise GuestExit(f"the module exited with code {code}")

    def random_get(self, at: int, length: int) -> int:
        if not self._memory.contains(at, length):
            return _FAULT
        for done in range(0, length, _RANDOM_BYTES_MAX):
            self._store(at + done, self._random(min(_RANDOM_BYTES_MAX, length - done)))
        return _SUCCESS

    def _load(self, at: int, length: int) -> bytes:
        if not self._memory.contains(at, length):
            raise OutsideMemory("WASI: what is to be written lies outside memory")
        return self._memory.copy(at, length)

    def _store(self, at: int, data: bytes) -> None:
        if not self._memory.contains(at, len(data)):
            raise OutsideMemory("WASI: the result lies outside memory")
        self._memory.view[at : at + len(data)] = data


class _Lines:
    """Writes by lines, as consoles do."""

    def __init__(self, console: Console, descriptor: Descriptor) -> None:
        self._console = console
        self._descriptor = descriptor
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line = ""

    def write(self, data: bytes) -> None:
        *lines, self._line = (self._line + self._decoder.decode(data)).split("\n")
        for line in lines:
            self._console(line, self._descriptor)
        if len(self._line) >= _LINE_LENGTH_MAX:
            self._console(self._line, self._descriptor)
            self._line = ""
