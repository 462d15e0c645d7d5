"""The contract proactor_v1: every number that both sides of the border read, and nothing else.

The same numbers as in assembly/abi.ts; a test compares the two files. docs/contract.md explains every word. Codes are
append-only: a number that was published keeps its meaning for ever.
"""

from enum import IntEnum

# The import module's version.

CONTRACT_VERSION = 1

# Submission: 64 bytes, at a multiple of 4. Byte offsets of its fields.

SUBMISSION_BYTES = 64
SUBMISSION_TOKEN_SLOT = 0
SUBMISSION_TOKEN_GENERATION = 4
SUBMISSION_OPCODE = 8
SUBMISSION_FLAGS = 10
SUBMISSION_RESOURCE = 12
SUBMISSION_DEADLINE_MS = 16
SUBMISSION_NAME = 20
SUBMISSION_NAME_BYTES = 24
SUBMISSION_DATA = 28
SUBMISSION_DATA_BYTES = 32
SUBMISSION_META = 36
SUBMISSION_META_BYTES = 40
SUBMISSION_ARGUMENT_0 = 44
SUBMISSION_ARGUMENT_1 = 48
SUBMISSION_ARGUMENT_2 = 52
SUBMISSION_ARGUMENT_3 = 56
SUBMISSION_RESERVED = 60

# Completion: 32 bytes, at a multiple of 4.

COMPLETION_BYTES = 32
COMPLETION_TOKEN_SLOT = 0
COMPLETION_TOKEN_GENERATION = 4
COMPLETION_STATUS = 8
COMPLETION_FLAGS = 12
COMPLETION_RESOURCE = 16
COMPLETION_PAYLOAD = 20
COMPLETION_PAYLOAD_BYTES = 24
COMPLETION_AUXILIARY = 28
PAYLOAD_ALIGNMENT = 8

# List of pairs: a count, then two lengths for each pair, then all texts.

PAIRS_HEAD_BYTES = 4
PAIR_LENGTHS_BYTES = 8


class Opcode(IntEnum):
    """What a submission asks for."""

    NOOP = 0
    CANCEL = 1
    CLOSE = 2
    TIMER = 3
    ACCEPT = 4
    RESPOND = 5
    READ = 6
    FETCH = 7
    KV_GET = 8
    KV_PUT = 9
    KV_DELETE = 10
    KV_LIST = 11
    REPORT = 12
    WAIT = 13
    WAKE = 14


class EventKind(IntEnum):
    """Kinds of event that an accept listens for, a bit each."""

    FETCH = 1


class RedirectMode(IntEnum):
    """What fetch does with a redirect."""

    FOLLOW = 0
    MANUAL = 1
    ERROR = 2


class CancelResult(IntEnum):
    """The answer to a cancel."""

    WON = 0
    TOO_LATE = 1
    UNKNOWN = 2


class Status(IntEnum):
    """Success is 0 or more, an error is negative. A number that is not listed is a generic failure."""

    OK = 0
    INVALID = -1
    FAULT = -2
    BAD_RESOURCE = -3
    NOT_PERMITTED = -4
    NOT_SUPPORTED = -5
    AGAIN = -6
    NOT_FOUND = -7
    CANCELLED = -8
    TIMED_OUT = -9
    TOO_BIG = -10
    CLOSED = -11
    SHUT_DOWN = -12
    FAILED = -13
    NETWORK = -32
    ABORTED = -33
    REDIRECT = -34
    QUOTA = -64
    PRECONDITION = -65
    RATE_LIMITED = -66


# The number of opcodes: one more than the largest of this version.

OPCODE_COUNT = 15

# Flags of a submission: the low byte belongs to the operation, DETACHED means the same everywhere. Then those of a
# completion, up to HANDLER_SHIFT, above which a guest may write a handler's index.

ACCEPT_HEADERS = 1
RESPOND_FORWARD = 1
FETCH_BODY = 1
KV_METADATA = 1
REPORT_DROPPED = 1
DETACHED = 0x8000
MORE = 1
RECLAIM = 2
DISPATCHED = 4
HANDLER_SHIFT = 8

# Limits of the contract. A host's own limits may be lower, never higher.

SUBMIT_COUNT_MAX = 4_096
SLOT_COUNT_MAX = 1_048_576
RESOURCE_MAX = 0x7FFF_FFFF
RESOURCE_NAME_BYTES_MAX = 256
ABORT_TEXT_BYTES_MAX = 1_024
PAIR_COUNT_MAX = 1_024
TIMER_MS_MAX = 0x7FFF_FFFF
ARENA_BYTES_MAX = 33_554_432
KV_KEY_BYTES_MAX = 512
KV_VALUE_BYTES_MAX = 26_214_400
KV_METADATA_BYTES_MAX = 1_024
KV_LIST_COUNT_MAX = 1_000
KV_SECONDS_MAX = 0x7FFF_FFFF
KV_TTL_SECONDS_MIN = 60
KV_CACHE_TTL_SECONDS_MIN = 30
