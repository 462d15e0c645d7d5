"""Which modules are guests, and what becomes of those that never return."""

import asyncio
import re
from pathlib import Path

import pytest
from wasmtime import wat2wasm

from conftest import built
from wasm_proactor import ErrorReport, Limits, Module, ModuleError, Proactor, Request, kv, origin
from wasm_proactor.kv_memory import MemoryStore

PARTS = {
    "submit": '(import "proactor_v1" "submit" (func $submit (param i32 i32) (result i32)))',
    "poll": '(import "proactor_v1" "poll" (func $poll (param i32 i32 i32 i32) (result i32)))',
    "memory": '(memory (export "memory") 2)',
    # An accept: its opcode and its kinds of event.
    "_initialize": """(func (export "_initialize")
        (i32.store16 (i32.const 0x2008) (i32.const 4))
        (i32.store (i32.const 0x202c) (i32.const 1))
        (drop (call $submit (i32.const 0x2000) (i32.const 1))))""",
    "run": """(func (export "run") (param i32) (result i32)
        (call $poll (i32.const 0) (i32.const 1) (i32.const 0x8000) (i32.const 0x8000)))""",
}


def module(**parts: str) -> bytes:
    # Imports come first in a module.
    texts = sorted({**PARTS, **parts}.values(), key=lambda text: not text.startswith("(import"))
    return bytes(wat2wasm("(module " + "\n".join(texts) + ")"))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"memory": "(memory 2)"}, 'exports no "memory"'),
        ({"memory": '(memory (export "memory") 2 64 shared)'}, 'exports no "memory" of its own'),
        ({"run": '(func (export "run"))'}, 'no function "run" of type (i32) -> (i32)'),
        ({"run": '(func (export "run") (param i64) (result i32) (i32.const 0))'}, 'no function "run"'),
        ({"run": '(global (export "run") i32 (i32.const 0))'}, 'no function "run"'),
        ({"run": '(export "run" (func $poll))'}, 'no function "run"'),
        ({"submit": PARTS["submit"].replace("submit", "other", 1)}, "imports proactor_v1.other"),
        (
            {"more": '(import "proactor_v1" "open" (func (param f64 f64) (result f64)))'},
            "imports proactor_v1.open with other types than (i32 i32) -> (i32)",
        ),
        ({"more": '(import "wasi_snapshot_preview1" "path_open" (func))'}, "path_open: this host does not provide it"),
        ({"more": '(import "env" "memory" (memory 1))'}, "imports env.memory"),
    ],
)
def test_what_is_no_guest_is_refused_with_a_reason(parts: dict[str, str], message: str) -> None:
    with pytest.raises(ModuleError, match=re.escape(message)):
        Proactor(module(**parts))


@pytest.mark.parametrize("source", [b"", b"no module", b"\0asm\x01\0\0\0\xff"])
def test_what_does_not_compile_is_a_module_error(source: bytes) -> None:
    with pytest.raises(ModuleError, match="does not compile"):
        Proactor(source)


def test_a_module_is_compiled_once_for_several_proactors() -> None:
    async def main() -> None:
        compiled = Module(built("worker.wasm"))
        for _ in range(2):
            response = await Proactor(compiled).fetch(Request("GET", "http://localhost/hello"))
            assert await response.read() == b"hello"

    asyncio.run(main())


LOOPS = {
    "run": """(func (export "run") (param i32) (result i32)
        (drop (call $poll (i32.const 0) (i32.const 1) (i32.const 0x8000) (i32.const 0x8000)))
        (loop $forever (br $forever)) (i32.const 0))"""
}
CALL = "(drop (call $submit (i32.const 0) (i32.const 0)))"
CALLS = {"run": LOOPS["run"].replace("(br $forever)", f"{CALL} (br $forever)")}


@pytest.mark.parametrize("parts", [LOOPS, CALLS], ids=["by itself", "through the host"])
@pytest.mark.parametrize("isolation", ["request", "pooled", "shared"])
def test_a_guest_that_loops_for_ever_is_stopped(parts: dict[str, str], isolation: str) -> None:
    async def main() -> None:
        reports: list[ErrorReport] = []
        app = Proactor(module(**parts), isolation=isolation, limits=Limits(run_ms=10), on_error=reports.append)  # type: ignore[arg-type]
        for _ in range(2):
            response = await app.fetch(Request("GET", "http://guest.test/"))
            assert (response.status, b'"trap"' in await response.read()) == (500, True)
        assert [report.message for report in reports] == ["the module ran for too long in one turn"] * 2
        assert (app.counters.traps, app.counters.contexts) == (2, 0)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("name", "parameters", "arguments"),
    [
        ("clock_time_get", "i32 i64 i32", "(i32.const 0) (i64.const 0) (i32.const 0x1fffc)"),
        ("args_sizes_get", "i32 i32", "(i32.const 0) (i32.const -4)"),
        ("fd_write", "i32 i32 i32 i32", "(i32.const 1) (i32.const 0x1fffc) (i32.const 1) (i32.const 0)"),
    ],
)
def test_a_pointer_of_wasi_outside_memory_is_a_trap(name: str, parameters: str, arguments: str) -> None:
    async def main() -> None:
        reports: list[ErrorReport] = []
        imported = f'(import "wasi_snapshot_preview1" "{name}" (func $wasi (param {parameters}) (result i32)))'
        run = f'(func (export "run") (param i32) (result i32) (call $wasi {arguments}))'
        app = Proactor(module(wasi=imported, run=run), on_error=reports.append)
        assert (await app.fetch(Request("GET", "http://guest.test/"))).status == 500
        assert [(report.kind, "outside memory" in report.message) for report in reports] == [("trap", True)]

    asyncio.run(main())


def test_a_memory_grows_up_to_its_limit() -> None:
    async def main() -> None:
        reports: list[ErrorReport] = []
        grows = {"run": '(func (export "run") (param i32) (result i32) (memory.grow (i32.const 1)))'}
        for grow_bytes, answered in ((0x2_0000, "run() answered -1"), (0x3_0000, "run() took none of the completions")):
            app = Proactor(module(**grows), limits=Limits(grow_bytes=grow_bytes), on_error=reports.append)
            await app.fetch(Request("GET", "http://guest.test/"))
            assert reports.pop().message == answered

    asyncio.run(main())


def test_a_guest_that_loops_while_it_starts_is_refused() -> None:
    loops = '(func (export "_initialize") (loop $forever (br $forever)))'
    with pytest.raises(ModuleError, match="too long"):
        Proactor(module(_initialize=loops), limits=Limits(run_ms=10))


def test_options_that_are_wrong_are_refused(tmp_path: Path) -> None:
    wasm = built("worker.wasm")
    with pytest.raises(ValueError, match="isolation"):
        Proactor(wasm, isolation="pool")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="wrap it in kv"):
        Proactor(wasm, resources={"CACHE": MemoryStore()})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match=r"limits\.run_ms"):
        Limits(run_ms=0)
    with pytest.raises(ValueError, match=r"limits\.budget"):
        Limits(budget=0)
    with pytest.raises(ValueError, match="rights"):
        kv(MemoryStore(), rights=("raed",))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no store"):
        kv(None)  # type: ignore[arg-type]
    for text in ("", "api.test", "https://api.test/path", "ftp://api.test", "https://user@api.test", "https://A.test"):
        with pytest.raises(ValueError, match="origin"):
            origin(text)
    with pytest.raises(FileNotFoundError):
        Proactor(tmp_path / "missing.wasm")
