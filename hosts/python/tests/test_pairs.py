"""The codec for lists of pairs, against any list and any bytes."""

import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasm_proactor.abi import PAIR_COUNT_MAX, Status
from wasm_proactor.failure import Failure
from wasm_proactor.pairs import Pair, combine, decode_pairs, encode_pairs, headers_of

texts = st.text(st.characters(exclude_categories=["Cs"]))
pairs = st.lists(st.tuples(texts.filter(bool), texts), max_size=20)


@given(pairs, st.binary(max_size=9))
def test_what_is_encoded_is_decoded_wherever_it_lies(listed: list[Pair], before: bytes) -> None:
    encoded = encode_pairs(listed)
    view = memoryview(before + encoded + b"behind")
    assert decode_pairs(view, len(before), len(encoded)) == listed


@given(pairs, st.binary())
def test_a_tail_follows_the_last_text(listed: list[Pair], tail: bytes) -> None:
    assert encode_pairs(listed, tail) == encode_pairs(listed) + tail


@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_a_failure(data: bytes) -> None:
    try:
        listed = decode_pairs(memoryview(data), 0, len(data))
    except Failure:
        return
    assert encode_pairs(listed) == data or (data == b"" and listed == [])


@given(pairs.filter(bool), st.data())
def test_a_length_that_is_wrong_is_malformed(listed: list[Pair], data: st.DataObject) -> None:
    encoded = bytearray(encode_pairs(listed))
    index = data.draw(st.integers(1, 2 * len(listed)))
    (right,) = struct.unpack_from("<I", encoded, 4 * index)
    wrong = data.draw(st.integers(0, 0xFFFF_FFFF).filter(lambda value: value != right))
    struct.pack_into("<I", encoded, 4 * index, wrong)
    with pytest.raises(Failure) as raised:
        decode_pairs(memoryview(encoded), 0, len(encoded))
    assert raised.value.status == Status.INVALID


def test_more_pairs_than_allowed_are_too_big_before_anything_is_read() -> None:
    with pytest.raises(Failure) as raised:
        decode_pairs(memoryview(struct.pack("<I", PAIR_COUNT_MAX + 1)), 0, 4)
    assert raised.value.status == Status.TOO_BIG


@given(st.text(min_size=1), st.text())
def test_a_header_that_is_taken_is_one_that_http_allows(name: str, value: str) -> None:
    try:
        ((taken_name, taken_value),) = headers_of([(name, value)])
    except Failure:
        return
    assert re.fullmatch(r"[!#$%&'*+\-.^_`|~0-9a-z]+", taken_name)
    assert not re.search(r"[\x00\r\n]|^[ \t]|[ \t]$", taken_value)
    assert taken_value.encode("latin-1")[:1] != b" "


def test_headers_are_joined_and_sorted_but_for_cookies_to_be_set() -> None:
    headers = [
        ("B", "1"),
        ("set-cookie", "x"),
        ("a", "2"),
        ("b", "3"),
        ("Set-Cookie", "y"),
        ("cookie", "p"),
        ("cookie", "q"),
    ]
    assert combine(headers) == [("a", "2"), ("b", "1, 3"), ("cookie", "p; q"), ("set-cookie", "x"), ("set-cookie", "y")]
