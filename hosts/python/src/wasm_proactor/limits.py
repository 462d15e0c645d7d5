"""Limits: everything that a guest could otherwise make grow has one, named with its unit last."""

from dataclasses import dataclass, fields

from .abi import KV_VALUE_BYTES_MAX, SLOT_COUNT_MAX

# Enough for every limit, and all that `run` takes.
_I32_MAX = 0x7FFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one instance or one context may use. Raises a ValueError for what is no positive whole number."""

    in_flight: int = 65_536
    """Operations in flight in one instance; more are refused with Again. At most 1,048,576."""
    budget: int = 256
    """Completions that one `run` dispatches at most."""
    runs: int = 64
    """Runs on one stack before other callbacks of the event loop go first."""
    argument_bytes: int = 64 * 1024 * 1024
    """Bytes of arguments that the host holds for one instance's operations."""
    resources: int = 65_536
    """Resources that one instance's guest holds at once: what it opened, exchanges, and bodies left on the host."""
    body_bytes: int = KV_VALUE_BYTES_MAX
    """Bytes of a body or value that is brought into the guest."""
    connections: int = 6
    """Calls of one context that may wait for an answer's headers at once."""
    wait_ms: int = 30_000
    """Milliseconds that an operation waits for another request."""
    run_ms: int = 10_000
    """Milliseconds after which one call into the module is stopped, as by a trap."""
    redirects: int = 20
    """Redirects that a fetch follows."""
    traps: int = 100
    """Traps after which a shared instance is replaced, though each was contained."""
    idle_bytes: int = 64 * 1024 * 1024
    """Bytes of linear memory of all the idle instances together that are kept for reuse."""
    memory_bytes: int = 16 * 1024 * 1024
    """Bytes of linear memory above which an instance is replaced once it is idle: memory never shrinks."""
    grow_bytes: int = 1024 * 1024 * 1024
    """Bytes beyond which the memory of an instance does not grow."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            most = SLOT_COUNT_MAX if field.name == "in_flight" else _I32_MAX
            if type(value) is not int or not 1 <= value <= most:
                raise ValueError(f"limits.{field.name}: {value!r} is no whole number from 1 to {most}")
