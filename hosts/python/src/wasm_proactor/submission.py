"""Submission: one 64-byte record, read and checked inside `submit`."""

import struct

from .abi import OPCODE_COUNT, SLOT_COUNT_MAX, TIMER_MS_MAX, Status
from .failure import Failure
from .memory import Memory
from .pairs import Pair, decode_pairs

# slot, generation, opcode, flags, resource, deadline; pointer and length of name, data, meta; four arguments; reserved
SUBMISSION = struct.Struct("<IIHHI11II")


class Submission:
    """What the guest asks for. Its contents are in the guest's memory: read them before `submit` returns."""

    def __init__(self, memory: Memory, at: int) -> None:
        """Reads the record at `at`, which `submit` has found inside the memory."""
        (
            self.slot,
            self.generation,
            self.opcode,
            self.flags,
            self.resource,
            self.deadline_ms,
            self._name,
            self.name_bytes,
            self._data,
            self.data_bytes,
            self._meta,
            self.meta_bytes,
            self.argument_0,
            self.argument_1,
            self.argument_2,
            _,
            self._reserved,
        ) = SUBMISSION.unpack_from(memory.view, at)
        self._memory = memory
        # Bytes that the host must copy to perform this.
        self.argument_bytes: int = self.name_bytes + self.data_bytes + self.meta_bytes

    def check(self, flags_allowed: int) -> None:
        """Raises what is wrong with the record itself, whatever its operation."""
        if self.opcode >= OPCODE_COUNT:
            raise Failure(Status.NOT_SUPPORTED, f"opcode {self.opcode} is unknown")
        if self.slot >= SLOT_COUNT_MAX:
            raise Failure(Status.INVALID, f"slot {self.slot} is over the limit")
        if self._reserved:
            raise Failure(Status.INVALID, "the reserved word is not 0")
        if self.flags & ~flags_allowed:
            raise Failure(Status.INVALID, "a reserved flag is set")
        if self.deadline_ms > TIMER_MS_MAX:
            raise Failure(Status.INVALID, "the deadline is over the limit")
        if self.argument_bytes:
            self._check_range("name", self._name, self.name_bytes)
            self._check_range("data", self._data, self.data_bytes)
            self._check_range("meta", self._meta, self.meta_bytes)

    def _check_range(self, what: str, at: int, length: int) -> None:
        if length and not self._memory.contains(at, length):
            raise Failure(Status.FAULT, f"{what} lies outside memory")

    def name(self) -> str:
        return self._memory.text(self._name, self.name_bytes)

    def data(self) -> bytes:
        return self._memory.copy(self._data, self.data_bytes)

    def data_text(self) -> str:
        return self._memory.text(self._data, self.data_bytes)

    def meta_text(self) -> str:
        return self._memory.text(self._meta, self.meta_bytes)

    def meta_pairs(self) -> list[Pair]:
        return decode_pairs(self._memory.view, self._meta, self.meta_bytes) if self.meta_bytes else []
