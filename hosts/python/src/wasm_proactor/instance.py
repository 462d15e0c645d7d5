"""Instance: one instance of the guest, its imports, and the only place that calls its exports.

`current` is the context in whose turn the guest runs. It is set around every call into the module, and each submission
made meanwhile belongs to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from .abi import (
    ABORT_TEXT_BYTES_MAX,
    COMPLETION_BYTES,
    DETACHED,
    MORE,
    RECLAIM,
    RESOURCE_MAX,
    RESOURCE_NAME_BYTES_MAX,
    SUBMISSION_BYTES,
    SUBMIT_COUNT_MAX,
    Opcode,
    Status,
)
from .completion_queue import CompletionQueue
from .context import Context
from .failure import Failure, status_of
from .memory import Memory
from .operation import Completion, Operation, Outcome, Processor, Work
from .processors import PROCESSORS
from .report import SHUT_DOWN, ErrorReport
from .submission import Submission
from .wasi import Wasi

if TYPE_CHECKING:
    from .engine import Linked
    from .host import Host
    from .request_context import RequestContext
    from .resource import Grants
    from .wasi import Console, RandomSource


class GuestAbort(Exception):
    """Unwinds the module's stack from inside `abort`: a message, and where in the guest's source."""

    def __init__(self, message: str, file: str, line: int, column: int) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.column = column


class BrokenGuest(Exception):
    """The module breaks the contract, which is taken as a trap."""


class Instance:
    """Made by the proactor, for one request or for many."""

    def __init__(self, host: Host, linked: Linked, grants: Grants, random: RandomSource, console: Console) -> None:
        """Instantiates the module and runs its `_initialize`. Raises what that raises."""
        self._host = host
        self._grants = grants
        self.context = Context(host, self)
        """What belongs to no request: the accept, and slots to be reclaimed."""
        self.current: Context | None = None
        self.wants_headers = False
        """Whether the heads of requests have their headers."""
        self.admitted = 0
        """Operations whose completion has not been polled."""
        self.held_bytes: int = 0
        """Bytes of arguments that the host holds."""
        self.resources = 0
        """Resources that the guest holds."""
        self.weight = 0
        """Bytes of memory, when it was last looked at: whenever a request has ended."""
        self.traps = 0
        self.contexts = 0
        """Requests that it serves now."""
        self.retired = False
        self.interrupted = False
        """Whether the last turn ended in an abort, after which the guest tidies up when it is called again."""
        self._accept: Operation | None = None
        self._last_resource = 0
        self._left = 0
        """Completions that the guest may still take on this turn."""
        self._memory: Memory | None = None
        self._engine = linked.instantiate(self)
        self._memory = Memory(self._engine)
        self.queue = CompletionQueue(self._memory)
        self._wasi = Wasi(self._memory, host.clock, random, console)
        host.counters.instances += 1
        host.counters.instantiated += 1
        self._initialize()

    def _initialize(self) -> None:
        self.current = self.context
        self._left = self._host.limits.budget
        try:
            self._engine.initialize()
        except BaseException:
            self.current = None
            self.retire()
            raise
        self.current = None
        self.weigh()

    @property
    def accept(self) -> Operation | None:
        """The multishot operation that takes incoming requests. Once it has ended there is none."""
        return None if self._accept is None or self._accept.settled else self._accept

    def take_accept(self, operation: Operation, wants_headers: bool) -> None:
        """From now on requests come under this operation's token."""
        self._accept = operation
        self.wants_headers = wants_headers

    def retire(self) -> None:
        """Takes the instance out of use and gives its memory back. It is not called again."""
        if self.retired:
            return
        self.retired = True
        self._host.counters.instances -= 1
        self._host.counters.in_flight -= self.admitted
        if self._memory:
            self._memory.release()
        self._engine.close()

    def weigh(self) -> None:
        """Looks how large the memory is now."""
        if not self.retired:
            self.weight = self._engine.size()

    @property
    def is_worn_out(self) -> bool:
        """Whether it should be replaced once it is idle.

        Neither its memory nor its numbers ever come back, and one whose guest has cancelled the accept serves nobody.
        """
        has_ended = self._accept is not None and self._accept.settled
        is_too_big = self.weight > self._host.limits.memory_bytes
        return is_too_big or has_ended or self._last_resource > RESOURCE_MAX // 2

    @property
    def owes_turn(self) -> bool:
        """Whether the guest has something to do that belongs to no request: what an ended one held may be another's."""
        return self.interrupted or bool(self.context.pending)

    # Calls into the module.

    def run(self, context: RequestContext) -> Exception | None:
        """Runs turns of a context until nothing is pending or others should be served. Returns what trapped."""
        self.current = context
        limits = self._host.limits
        budget = limits.budget
        try:
            for _ in range(limits.runs):
                is_due = context.due > 0
                if not is_due and not self.interrupted:
                    break
                self.interrupted = False
                self._left = budget
                result = self._engine.run(budget)
                if result < 0:
                    raise BrokenGuest(f"run() answered {result}")
                if is_due and self._left == budget:
                    raise BrokenGuest("run() took none of the completions")
        except Exception as error:
            self.interrupted = True
            return error
        finally:
            self.current = None
        return None

    def reclaim(self, context: Context) -> None:
        """Arranges that the guest frees the slots of a context that is over. Their handlers are not called."""
        for orphan in [*context.in_flight.values(), *context.pending]:
            # A request's head came under the token of the accept, which lives on.
            if orphan.flags & MORE:
                continue
            completion = Completion(orphan.slot, orphan.generation, orphan.opcode)
            completion.status = Status.SHUT_DOWN
            completion.flags = RECLAIM
            self.context.pending.append(completion)
        context.pending.clear()

    def take_resource_number(self) -> int:
        """A number for a resource that the guest holds from now on."""
        self.resources += 1
        self._last_resource += 1
        return self._last_resource

    # submit

    def submit(self, submissions: int, count: int) -> int:
        context, memory = self.current, self._memory
        if context is None or memory is None:
            return Status.INVALID
        if count > SUBMIT_COUNT_MAX:
            return Status.TOO_BIG
        if submissions & 3 or not memory.contains(submissions, count * SUBMISSION_BYTES):
            return Status.FAULT
        for index in range(count):
            submission = Submission(memory, submissions + index * SUBMISSION_BYTES)
            if not self._admit(submission, context):
                self._refuse(submission, context)
                return index
        return count

    def _refuse(self, submission: Submission, context: Context) -> None:
        """Where no handler waits, the guest cannot tell anybody. A cancel or a wake that comes too late is no loss."""
        self._host.counters.refused += 1
        if submission.opcode in (Opcode.CANCEL, Opcode.WAKE) or self._hear(submission, context):
            return
        operation = Operation(context, submission)
        operation.status = Status.AGAIN
        operation.report_unhandled("the host is at its limit")

    def _hear(self, submission: Submission, context: Context) -> bool:
        """Takes note of what only tells the host something."""
        processor = PROCESSORS.get(submission.opcode)
        if processor is None or not processor.tells:
            return False
        try:
            self._decode(submission, context, processor)
        except Exception:
            return False
        return True

    def _admit(self, submission: Submission, context: Context) -> bool:
        """Takes one submission and starts its work. False if the host is full; then nothing has changed."""
        processor = PROCESSORS.get(submission.opcode)
        is_full = self.admitted >= self._host.limits.in_flight or self._holds_too_much(submission.argument_bytes)
        if is_full and not (processor and processor.relieves and processor.makes_room(submission, context)):
            return False
        owner = self.context if processor and processor.of_instance else context
        operation = Operation(owner, submission)
        error: Exception | None = None
        work: Work | None = None
        try:
            work = self._decode(submission, owner, processor)
        except Exception as wrong:
            # What fails makes no room.
            if is_full:
                return False
            error = wrong
        self.admitted += 1
        self.held_bytes += operation.held_bytes
        self._host.counters.in_flight += 1
        if work:
            _start(work, operation, submission.deadline_ms)
        elif error:
            operation.fail(error)
        return True

    def _holds_too_much(self, wanted: int) -> bool:
        # What could never be held fails instead of being refused for ever.
        most = self._host.limits.argument_bytes
        return wanted <= most and self.held_bytes + wanted > most

    def _decode(self, submission: Submission, context: Context, processor: Processor | None) -> Work:
        """Reads and checks the arguments. Raises what is wrong, and has changed nothing then."""
        submission.check(DETACHED | (processor.flags if processor else 0))
        assert processor, "an opcode that is known has a processor"
        if submission.argument_bytes > self._host.limits.argument_bytes:
            raise Failure(Status.TOO_BIG, "the arguments are over the limit")
        if submission.slot in context.in_flight:
            raise Failure(Status.INVALID, "the slot is in flight already")
        if self.current is self.context and submission.opcode != Opcode.ACCEPT:
            raise Failure(Status.NOT_PERMITTED, "only accept can be submitted while the module starts")
        # What ends something is still welcome, and what tells of a failure.
        if self._host.shutdown_mode and not processor.relieves and not processor.tells:
            raise Failure(Status.SHUT_DOWN, SHUT_DOWN.detail)
        return processor.decode(submission, context)

    # poll

    def poll(self, completions: int, capacity: int, arena: int, arena_bytes: int) -> int:
        context, memory = self.current, self._memory
        if context is None or memory is None:
            return Status.INVALID
        records = min(capacity, context.due, self._left)
        if completions & 3 or not memory.contains(completions, records * COMPLETION_BYTES):
            return Status.FAULT
        if not memory.contains(arena, arena_bytes):
            return Status.FAULT
        # The last batch still tells whose handler ran last.
        if records == 0:
            return 0
        queue = self.queue
        queue.begin(completions, arena, arena_bytes)
        while len(queue) < records:
            pending = self.context.pending or context.pending
            completion = pending[0]
            if queue.push(completion):
                pending.popleft()
                self._delivered(completion)
            elif queue:
                break  # The next poll begins with an empty arena.
            elif completion.demanded:
                self._too_big(completion, context)  # The guest was told, and polls without room for it all the same.
            else:
                completion.demanded = True
                self._left -= 1
                return queue.demand(len(completion.payload))
        return len(queue)

    def _too_big(self, completion: Completion, context: Context) -> None:
        had_failed = completion.status < 0
        context.close_resource(completion.resource)
        completion.status = Status.TOO_BIG
        completion.resource = completion.auxiliary = 0
        completion.payload = b""
        # One that had failed was reported then.
        if isinstance(completion, Operation) and not had_failed:
            completion.report_unhandled("the payload does not fit into the guest's arena")

    def _delivered(self, completion: Completion) -> None:
        self._left -= 1
        if completion.flags & MORE:
            return
        self.admitted -= 1
        counters = self._host.counters
        counters.in_flight -= 1
        if completion.flags & RECLAIM:
            counters.reclaimed += 1
        else:
            counters.completed += 1

    # open, abort, and WASI

    def call(self, module: str, name: str, arguments: list[int]) -> int | None:
        """What an instance calls more rarely."""
        if module != "proactor_v1":
            if self._memory is None:
                raise BrokenGuest("WASI has no memory yet")
            result: int | None = getattr(self._wasi, name)(*arguments)
            return result
        return self.open(*arguments) if name == "open" else self.abort(*arguments)

    def open(self, name: int, name_bytes: int) -> int:
        context, memory = self.current, self._memory
        if context is None or memory is None:
            return Status.INVALID
        if name_bytes > RESOURCE_NAME_BYTES_MAX:
            return Status.TOO_BIG
        if not memory.contains(name, name_bytes):
            return Status.FAULT
        try:
            return self._open_grant(memory.text(name, name_bytes), context)
        except Failure as failure:
            return status_of(failure)

    def _open_grant(self, name: str, context: Context) -> int:
        """The grant belongs to whoever opens it: a request, or the instance while the module starts."""
        grant = self._grants.get(name)
        if grant is None:
            granted = ", ".join(self._grants) or "nothing"
            message = f'the module asked for "{name}"; granted are: {granted}'
            self._host.report(ErrorReport(kind="open", message=message))
            return Status.NOT_FOUND
        context.check_resources()
        return context.add_resource(grant)

    def abort(self, message: int, message_bytes: int, file: int, file_bytes: int, line: int, column: int) -> NoReturn:
        raise GuestAbort(self._abort_text(message, message_bytes), self._abort_text(file, file_bytes), line, column)

    def _abort_text(self, at: int, length: int) -> str:
        """Whatever the guest points at, and even before there is a memory: a trap is reported."""
        size = min(length, ABORT_TEXT_BYTES_MAX)
        if self._memory is None or not self._memory.contains(at, size):
            return ""
        return self._memory.copy(at, size).decode("utf-8", "replace")


def _start(work: Work, operation: Operation, deadline_ms: int) -> None:
    """Performs the work: at once, in a task, or as it has arranged itself."""
    try:
        outcome = work(operation)
    except Exception as error:
        operation.fail(error)
        return
    if operation.settled:
        return
    if isinstance(outcome, Outcome):
        operation.succeed(outcome)
    else:
        operation.context.in_flight[operation.slot] = operation
        if deadline_ms:
            operation.set_deadline(deadline_ms)
        if outcome is not None:
            operation.start(outcome)
