"""Completion queue: writes what `poll` asks for, and remembers it until the next `poll`.

The queue itself is the array in the guest's memory. Here is kept what its records stand for, so that after a trap the
one whose handler was running has a name.
"""

import struct

from .abi import (
    COMPLETION_BYTES,
    COMPLETION_FLAGS,
    COMPLETION_PAYLOAD_BYTES,
    DISPATCHED,
    PAYLOAD_ALIGNMENT,
    Status,
)
from .memory import Memory
from .operation import Completion

# slot, generation, status, flags, resource, payload, payload bytes, auxiliary
COMPLETION = struct.Struct("<IIiIIIII")

_TOKEN = struct.Struct("<II")
_WORD = struct.Struct("<I")


class CompletionQueue:
    """The records of the last `poll`."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._batch: list[Completion] = []
        self._at = 0
        self._arena = 0
        self._arena_end = 0

    def begin(self, at: int, arena: int, arena_bytes: int) -> None:
        """Begins a batch at `at`, with payloads in an arena; both lie inside the memory."""
        self._batch = []
        self._at = at
        self._arena = _aligned(arena)
        self._arena_end = arena + arena_bytes

    def __len__(self) -> int:
        return len(self._batch)

    @property
    def last(self) -> Completion | None:
        return self._batch[-1] if self._batch else None

    def push(self, completion: Completion) -> bool:
        """Writes one completion. False if its payload does not fit into what is left of the arena."""
        payload = completion.payload
        size = len(payload)
        at = 0
        if size:
            at = self._arena
            if at + size > self._arena_end:
                return False
            self._memory.view[at : at + size] = payload
            self._arena = _aligned(at + size)
        COMPLETION.pack_into(
            self._memory.view,
            self._at + len(self._batch) * COMPLETION_BYTES,
            completion.slot,
            completion.generation,
            completion.status,
            completion.flags,
            completion.resource,
            at,
            size,
            completion.auxiliary,
        )
        self._batch.append(completion)
        return True

    def demand(self, payload_bytes: int) -> int:
        """Tells in the first record how large an arena would hold this payload, wherever the arena begins."""
        _WORD.pack_into(self._memory.view, self._at + COMPLETION_PAYLOAD_BYTES, payload_bytes + PAYLOAD_ALIGNMENT)
        return Status.TOO_BIG

    def running(self) -> Completion | None:
        """The completion whose handler was called last: the guest marks a record before it calls that."""
        if not self._batch:
            return None
        # Once all are dispatched, the guest uses the first record to tell handlers that their submission was refused.
        # The slot may be the same, for a handler's slot is free when it submits anew.
        first = self._batch[0]
        if _TOKEN.unpack_from(self._memory.view, self._at) != (first.slot, first.generation):
            return None
        indices = reversed(range(len(self._batch)))
        return next((self._batch[index] for index in indices if self._is_dispatched(index)), None)

    def _is_dispatched(self, index: int) -> bool:
        at = self._at + index * COMPLETION_BYTES + COMPLETION_FLAGS
        return bool(_WORD.unpack_from(self._memory.view, at)[0] & DISPATCHED)


def _aligned(at: int) -> int:
    return (at + PAYLOAD_ALIGNMENT - 1) & -PAYLOAD_ALIGNMENT
