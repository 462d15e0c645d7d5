"""The flags of `serve`, the same in every host."""

import subprocess
import sys

import pytest

from conftest import built
from wasm_proactor.flags import BadUse, Flags, KvFlag, parse_flags
from wasm_proactor.resource import KV_RIGHTS


def test_all_flags() -> None:
    flags = parse_flags(
        [
            *("serve", "app.wasm", "--host", "::1", "--port", "0", "--isolation", "shared"),
            *("--kv", "A", "--kv", "B:read,list", "--kv", "C=c=d.db", "--kv", "D:write=d.db"),
            *("--origin", "API=https://a.test,https://b.test", "--origin", "X=http://x.test"),
        ]
    )
    every = KV_RIGHTS
    assert flags == Flags(
        "app.wasm",
        "::1",
        0,
        "shared",
        {
            "A": KvFlag(every, None),
            "B": KvFlag(("read", "list"), None),
            "C": KvFlag(every, "c=d.db"),
            "D": KvFlag(("write",), "d.db"),
        },
        {"API": ("https://a.test", "https://b.test"), "X": ("http://x.test",)},
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["serve"],
        ["serve", "a.wasm", "b.wasm"],
        ["sevre", "a.wasm"],
        ["serve", "a.wasm", "--prot", "1"],
        ["serve", "a.wasm", "--port", "x"],
        ["serve", "a.wasm", "--port", "65536"],
        ["serve", "a.wasm", "--isolation", "none"],
        ["serve", "a.wasm", "--kv", ""],
        ["serve", "a.wasm", "--kv", "A:raed"],
        ["serve", "a.wasm", "--origin", "API"],
        ["serve", "a.wasm", "--kv", "A", "--origin", "A=http://a.test"],
    ],
)
def test_a_wrong_flag_is_a_bad_use(arguments: list[str]) -> None:
    with pytest.raises(BadUse):
        parse_flags(arguments)


@pytest.mark.parametrize(
    "more", [["--kv", "A=/no/such/folder/kv.db"], ["--origin", "A=nothing"], ["--host", "no.such.host.test"]]
)
def test_what_keeps_it_from_starting_is_said_in_a_sentence_with_exit_code_2(more: list[str]) -> None:
    command = [sys.executable, "-m", "wasm_proactor", "serve", str(built("worker.wasm")), "--port", "0", *more]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.strip().splitlines()) == 1
