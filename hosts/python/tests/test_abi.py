"""The numbers of the contract are those of assembly/abi.ts, every one, and the records lie as it says."""

import re
import struct
from enum import IntEnum

from conftest import ROOT
from wasm_proactor import abi
from wasm_proactor.completion_queue import COMPLETION
from wasm_proactor.submission import SUBMISSION

TRUTH = (ROOT / "assembly" / "abi.ts").read_text()


def test_constants_are_those_of_abi_ts() -> None:
    constants = {name: int(text, 0) for name, text in re.findall(r"^export const (\w+): u32 = (\w+);", TRUTH, re.M)}
    assert constants
    assert {name: value for name, value in vars(abi).items() if isinstance(value, int)} == constants


def test_enums_are_those_of_abi_ts() -> None:
    enums = {
        name: {snake(member): int(value) for member, value in re.findall(r"^\s+(\w+) = (-?\d+),", body, re.M)}
        for name, body in re.findall(r"^export enum (\w+) \{(.*?)^\}", TRUTH, re.M | re.S)
    }
    found = {
        name: {member.name: member.value for member in value}
        for name, value in vars(abi).items()
        if isinstance(value, type) and issubclass(value, IntEnum) and value is not IntEnum
    }
    assert found == enums


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def test_a_submission_lies_as_the_contract_says() -> None:
    offsets = [
        value for name, value in vars(abi).items() if name.startswith("SUBMISSION_") and name != "SUBMISSION_BYTES"
    ]
    assert struct_offsets(SUBMISSION) == offsets
    assert SUBMISSION.size == abi.SUBMISSION_BYTES


def test_a_completion_lies_as_the_contract_says() -> None:
    offsets = [
        value for name, value in vars(abi).items() if name.startswith("COMPLETION_") and name != "COMPLETION_BYTES"
    ]
    assert struct_offsets(COMPLETION) == offsets
    assert COMPLETION.size == abi.COMPLETION_BYTES


def struct_offsets(layout: struct.Struct) -> list[int]:
    letters = re.sub(r"(\d+)(\w)", lambda run: run[2] * int(run[1]), layout.format.lstrip("<"))
    return [struct.calcsize("<" + letters[:index]) for index in range(len(letters))]
