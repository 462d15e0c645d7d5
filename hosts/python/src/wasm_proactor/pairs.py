"""Pairs: the one encoding for lists of names and values, and what HTTP asks of those that are headers."""

import re
import struct
from collections.abc import Iterable

from .abi import PAIR_COUNT_MAX, PAIR_LENGTHS_BYTES, PAIRS_HEAD_BYTES, Status
from .failure import Failure
from .message import Header

Pair = tuple[str, str]

_COUNT = struct.Struct("<I")


def encode_pairs(pairs: Iterable[Pair], tail: bytes = b"") -> bytes:
    """Encodes a list, in order, repeated names kept, followed by `tail`."""
    texts = [text.encode("utf-8", "replace") for pair in pairs for text in pair]
    count = len(texts)
    head = struct.pack(f"<{1 + count}I", count // 2, *map(len, texts))
    return b"".join((head, *texts, tail))


def decode_pairs(view: memoryview, at: int, length: int) -> list[Pair]:
    """Decodes a list that fills `length` bytes. Raises Invalid if its counts and lengths do not add up to that."""
    if length == 0:
        return []
    if length < PAIRS_HEAD_BYTES:
        raise _malformed()
    (count,) = _COUNT.unpack_from(view, at)
    if count > PAIR_COUNT_MAX:
        raise Failure(Status.TOO_BIG, f"list of pairs: more than {PAIR_COUNT_MAX} pairs")
    start = PAIRS_HEAD_BYTES + count * PAIR_LENGTHS_BYTES
    if start > length:
        raise _malformed()
    lengths = struct.unpack_from(f"<{2 * count}I", view, at + PAIRS_HEAD_BYTES)
    if start + sum(lengths) != length:
        raise _malformed()
    texts: list[str] = []
    place = at + start
    for size in lengths:
        texts.append(decode_text(view[place : place + size]))
        place += size
    names = texts[::2]
    # Not every client refuses a header without a name, and what it then sends is no HTTP.
    if "" in names:
        raise Failure(Status.INVALID, "list of pairs: a name is empty")
    return list(zip(names, texts[1::2], strict=True))


def _malformed() -> Failure:
    return Failure(Status.INVALID, "list of pairs: its lengths disagree")


def decode_text(data: bytes | memoryview) -> str:
    """Decodes UTF-8. Raises Invalid if it is none."""
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError:
        raise Failure(Status.INVALID, "text is not UTF-8") from None


# Headers.

_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
# Latin-1, as HTTP has it, without what would end the line.
_VALUE = re.compile(r"[^\x00\r\n\u0100-\U0010ffff]*")


def headers_of(pairs: Iterable[Pair]) -> list[Header]:
    """The pairs as headers. Raises Invalid for what HTTP does not allow."""
    headers: list[Header] = []
    for name, text in pairs:
        value = text.strip(" \t\r\n")
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise Failure(Status.INVALID, f"headers: HTTP does not allow {name!r}: {value!r}")
        headers.append((name.lower(), value))
    return headers


def combine(headers: Iterable[Header]) -> list[Header]:
    """Headers as a guest sees them: sorted, one for each name; only cookies to be set cannot be joined."""
    cookies: list[Header] = []
    values: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        if name == "set-cookie":
            cookies.append((name, value))
        elif name in values:
            values[name] += f"{'; ' if name == 'cookie' else ', '}{value}"
        else:
            values[name] = value
    return sorted([*values.items(), *cookies], key=_name)


def _name(header: Header) -> str:
    return header[0]
