"""Processors: which host code performs which opcode."""

from .abi import Opcode
from .operation import Completion, Processor
from .operations.accept import Accept
from .operations.cancel import Cancel
from .operations.close import Close
from .operations.fetch import Fetch
from .operations.kv import KvDelete, KvGet, KvList, KvPut
from .operations.noop import Noop
from .operations.read import Read
from .operations.report import Report
from .operations.respond import Respond
from .operations.timer import Timer
from .operations.wait import Wait
from .operations.wake import Wake

PROCESSORS: dict[int, Processor] = {
    Opcode.NOOP: Noop(),
    Opcode.CANCEL: Cancel(),
    Opcode.CLOSE: Close(),
    Opcode.TIMER: Timer(),
    Opcode.ACCEPT: Accept(),
    Opcode.RESPOND: Respond(),
    Opcode.READ: Read(),
    Opcode.FETCH: Fetch(),
    Opcode.KV_GET: KvGet(),
    Opcode.KV_PUT: KvPut(),
    Opcode.KV_DELETE: KvDelete(),
    Opcode.KV_LIST: KvList(),
    Opcode.REPORT: Report(),
    Opcode.WAIT: Wait(),
    Opcode.WAKE: Wake(),
}


def name_of(completion: Completion) -> str:
    """The operation's name as the guest's author knows it."""
    processor = PROCESSORS.get(completion.opcode)
    return processor.name if processor else f"opcode {completion.opcode}"
