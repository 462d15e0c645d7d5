"""Module: whether a WebAssembly module is a guest of this contract, and if not, what its author can do."""

import os
from pathlib import Path

import wasmtime

from .engine import compile_module

_CONTRACT = "proactor_v1"

_Types = tuple[str, str]

# Parameters and results. Another type with the same name would be called with the wrong numbers.
_IMPORTS: dict[tuple[str, str], _Types] = {
    (_CONTRACT, "submit"): ("i32 i32", "i32"),
    (_CONTRACT, "poll"): ("i32 i32 i32 i32", "i32"),
    (_CONTRACT, "open"): ("i32 i32", "i32"),
    (_CONTRACT, "abort"): ("i32 i32 i32 i32 i32 i32", ""),
} | {
    ("wasi_snapshot_preview1", name): types
    for name, types in {
        "args_get": ("i32 i32", "i32"),
        "args_sizes_get": ("i32 i32", "i32"),
        "clock_res_get": ("i32 i32", "i32"),
        "clock_time_get": ("i32 i64 i32", "i32"),
        "environ_get": ("i32 i32", "i32"),
        "environ_sizes_get": ("i32 i32", "i32"),
        "fd_close": ("i32", "i32"),
        "fd_fdstat_get": ("i32 i32", "i32"),
        "fd_read": ("i32 i32 i32 i32", "i32"),
        "fd_seek": ("i32 i64 i32 i32", "i32"),
        "fd_write": ("i32 i32 i32 i32", "i32"),
        "poll_oneoff": ("i32 i32 i32 i32", "i32"),
        "proc_exit": ("i32", ""),
        "random_get": ("i32 i32", "i32"),
    }.items()
}

_EXPORTS: dict[str, _Types] = {"_initialize": ("", ""), "run": ("i32", "i32")}

# One for all mistakes: most modules that make one were compiled without the package's configuration and make three.
_ADVICE = (
    'Compile it with wasm-proactor/asconfig.json and `export { run } from "wasm-proactor"`, '
    f"by a version of the package whose contract is {_CONTRACT}; one with fibers goes through wasm-proactor-asyncify."
)


class ModuleError(Exception):
    """A module that cannot be a guest. The message says what is wrong and what to do."""


class Module:
    """A compiled module, which several proactors may share."""

    def __init__(self, source: bytes | str | os.PathLike[str]) -> None:
        """Compiles the bytes of a module, or those of a file. Raises a ModuleError, or an OSError of the file."""
        wasm = source if isinstance(source, bytes) else Path(source).read_bytes()
        # The engine takes text, too, and says of a file that is neither what is wrong with the text.
        if not wasm.startswith(b"\0asm"):
            raise ModuleError("the module does not compile: this is no WebAssembly; give the bytes of one, or its path")
        try:
            self.compiled = compile_module(wasm)
        except (wasmtime.WasmtimeError, TypeError) as error:
            raise ModuleError(f"the module does not compile: {error}; give the bytes of one, or its path") from error
        wrong = [*_wrong_imports(self.compiled), *_wrong_exports(self.compiled)]
        if wrong:
            listed = "\n- ".join(wrong)
            raise ModuleError(f"this module is no guest of {_CONTRACT}:\n- {listed}\n{_ADVICE}")


def _wrong_imports(module: wasmtime.Module) -> list[str]:
    wrong = []
    for item in module.imports:
        known = _IMPORTS.get((item.module, item.name or ""))
        if known is None or not isinstance(item.type, wasmtime.FuncType):
            wrong.append(f"it imports {item.module}.{item.name}: this host does not provide it")
        elif _types(item.type) != known:
            wrong.append(f"it imports {item.module}.{item.name} with other types than {_arrow(known)}")
    return wrong


def _wrong_exports(module: wasmtime.Module) -> list[str]:
    found = {item.name: item.type for item in module.exports}
    wrong = []
    memory = found.get("memory")
    if not isinstance(memory, wasmtime.MemoryType) or memory.is_64 or memory.is_shared:
        wrong.append('it exports no "memory" of its own, with 32-bit addresses')
    for name, types in _EXPORTS.items():
        function = found.get(name)
        if not isinstance(function, wasmtime.FuncType) or _types(function) != types:
            wrong.append(f'it exports no function "{name}" of type {_arrow(types)}')
    return wrong


def _types(function: wasmtime.FuncType) -> _Types:
    return " ".join(map(str, function.params)), " ".join(map(str, function.results))


def _arrow(types: _Types) -> str:
    return f"({types[0]}) -> ({types[1]})"
