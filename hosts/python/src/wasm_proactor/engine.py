"""Engine: wasmtime, and the one file that knows how it calls and is called.

wasmtime's Python functions look up a type and make several objects for each call across the border: 17 microseconds
into the module, 10 out of it. Its C API has calls that take numbers as they are, which is 0.6 and 0.4. They check
nothing, so a module is linked only if all types that it declares are exactly those of the contract (see module.py).
"""

import ctypes
import math
import os
import threading
import time
from collections.abc import Callable
from ctypes import POINTER, byref, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, NoReturn, Protocol

import wasmtime
from wasmtime import _ffi as ffi

# A value is 16 bytes; an i32 is the first of its four words.
_WORDS = 4
assert ctypes.sizeof(ffi.wasmtime_val_raw_t) == 4 * _WORDS, "another wasmtime"

_Callback = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_void_p, POINTER(c_uint32), c_size_t)


def _function(name: str, result: Any, library: ctypes.CDLL = ffi.dll) -> Any:
    """A function of the library that takes only what has a C type already: to convert costs as much as to call."""
    function = library[name]
    function.restype = result
    return function


# What returns at once keeps the interpreter's lock.
_at_once = ctypes.PyDLL(ffi.dll._name)

_define = _function("wasmtime_linker_define_func_unchecked", c_void_p)
_call = _function("wasmtime_func_call_unchecked", c_void_p)
_new_trap = _function("wasmtime_trap_new", c_size_t, _at_once)
_set_deadline = _function("wasmtime_context_set_epoch_deadline", None, _at_once)
_memory_data = _function("wasmtime_memory_data", c_void_p, _at_once)
_memory_size = _function("wasmtime_memory_data_size", c_size_t, _at_once)


class GuestTrap(Exception):
    """The engine ended a call into the module."""


# How long a call may last.

_TICK_SECONDS = 0.1


class _Ticker:
    """Tells the engine that time passes, from a thread of its own: the event loop's is the one that may be stuck."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._engine = engine
        self._process: int | None = None

    def start(self) -> None:
        """Starts the thread, unless it runs. After a fork there is none."""
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        threading.Thread(target=self._run, name="wasm-proactor-ticker", daemon=True).start()

    def _run(self) -> NoReturn:
        while True:
            time.sleep(_TICK_SECONDS)
            self._engine.increment_epoch()


def _new_engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.epoch_interruption = True
    # Views of a memory hold for as long as it lives.
    config.memory_may_move = False
    return wasmtime.Engine(config)


ENGINE = _new_engine()
_ticker = _Ticker(ENGINE)


def compile_module(wasm: bytes) -> wasmtime.Module:
    """Compiles a module for the one engine of this process. Raises a WasmtimeError."""
    return wasmtime.Module(ENGINE, wasm)


class Guest(Protocol):
    """Who answers the calls of an instance."""

    def submit(self, submissions: int, count: int) -> int: ...
    def poll(self, completions: int, capacity: int, arena: int, arena_bytes: int) -> int: ...
    def open(self, name: int, name_bytes: int) -> int: ...
    def call(self, module: str, name: str, arguments: list[int]) -> int | None:
        """Any other function."""


class Linked:
    """A module with its imports, ready to be instantiated again and again."""

    def __init__(self, module: wasmtime.Module, run_ms: int, grow_bytes: int) -> None:
        """`run_ms`: how long one call into the module may last. `grow_bytes`: how large its memory may become."""
        self._grow_bytes = grow_bytes
        self.guest: Guest | None = None
        """Whose instance runs. Nothing else tells on whose behalf a function is called."""
        self.error: BaseException | None = None
        """What a function raised: it cannot travel through the module."""
        self.ticks = c_uint64(math.ceil(run_ms / 1000 / _TICK_SECONDS) + 1)
        _ticker.start()
        self._linker = wasmtime.Linker(ENGINE)
        # A function may be imported more than once.
        items = {(item.module, item.name): item for item in module.imports}
        self._callbacks = [self._define(item) for item in items.values()]
        self._instance_pre = self._linker.instantiate_pre(module)

    def _define(self, item: wasmtime.ImportType) -> Any:
        name = item.name or ""
        assert isinstance(item.type, wasmtime.FuncType)
        callback = _Callback(self._entry(item.module, name, len(item.type.params), len(item.type.results)))
        module_name, function_name = item.module.encode(), name.encode()
        error = _define(
            *(self._linker.ptr(), module_name, c_size_t(len(module_name)), function_name),
            *(c_size_t(len(function_name)), item.type.ptr(), callback, None, None),
        )
        if error:
            raise _error(error)
        return callback

    def _entry(self, module: str, name: str, parameters: int, results: int) -> Callable[..., int]:
        """What the engine calls for an import. The two that each turn calls are written out: they decide the speed."""

        def submit(_env: int, _caller: int, values: Any, _count: int) -> int:
            try:
                values[0] = self.guest.submit(values[0], values[4])  # type: ignore[union-attr]
            except BaseException as error:
                return self._trap(error)
            return 0

        def poll(_env: int, _caller: int, values: Any, _count: int) -> int:
            try:
                values[0] = self.guest.poll(values[0], values[4], values[8], values[12])  # type: ignore[union-attr]
            except BaseException as error:
                return self._trap(error)
            return 0

        def other(_env: int, _caller: int, values: Any, _count: int) -> int:
            try:
                arguments = [values[index * _WORDS] for index in range(parameters)]
                result = self.guest.call(module, name, arguments)  # type: ignore[union-attr]
                if results:
                    values[0] = result
            except BaseException as error:
                return self._trap(error)
            return 0

        if module == "proactor_v1" and name in ("submit", "poll"):
            return submit if name == "submit" else poll
        return other

    def _trap(self, error: BaseException) -> int:
        self.error = error
        return int(_new_trap(b"the host", c_size_t(8)))

    def instantiate(self, guest: Guest) -> "EngineInstance":
        """Makes an instance whose functions `guest` answers, which its start function may call already."""
        previous, self.guest = self.guest, guest
        store = wasmtime.Store(ENGINE)
        store.set_epoch_deadline(self.ticks.value)
        store.set_limits(memory_size=self._grow_bytes)
        try:
            instance = self._instance_pre.instantiate(store)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as trap:
            raise self.take_error() or GuestTrap(_words(str(trap))) from None
        finally:
            self.guest = previous
        return EngineInstance(self, guest, store, instance)

    def take_error(self) -> BaseException | None:
        """What a function raised in the call that has just ended."""
        error, self.error = self.error, None
        return error


class EngineInstance:
    """One instance: its memory, and its exports."""

    def __init__(self, linked: Linked, guest: Guest, store: wasmtime.Store, instance: wasmtime.Instance) -> None:
        self._linked = linked
        self._guest = guest
        self._store = store
        self._instance = instance
        self._context = ctypes.cast(store._context(), c_void_p)
        self._memory = byref(self._export("memory").of.memory)
        self._values = (c_uint32 * _WORDS)()
        self._trap = c_void_p()
        self._run = self._call_of("run")

    def _export(self, name: str) -> Any:
        export = ffi.wasmtime_extern_t()
        encoded = name.encode()
        found = ffi.wasmtime_instance_export_get(
            self._store._context(), byref(self._instance._instance), encoded, len(encoded), byref(export)
        )
        assert found, "checked before the module was linked"
        return export

    def _call_of(self, name: str) -> tuple[Any, ...]:
        """How an exported function is called: it finds its parameter in `_values`, and leaves its result there."""
        return self._context, byref(self._export(name).of.func), self._values, c_size_t(1), byref(self._trap)

    def base(self) -> int:
        """The address of the memory's first byte."""
        return _memory_data(self._context, self._memory) or 0

    def size(self) -> int:
        """Bytes of the memory."""
        size: int = _memory_size(self._context, self._memory)
        return size

    def initialize(self) -> None:
        """Calls `_initialize`. Raises what one of its imports raised, or a GuestTrap."""
        self._enter(self._call_of("_initialize"))

    def run(self, budget: int) -> int:
        """Calls `run`. Raises what one of its imports raised, or a GuestTrap."""
        self._values[0] = budget
        self._enter(self._run)
        result = self._values[0]
        return result if result < 0x8000_0000 else result - 0x1_0000_0000

    def _enter(self, call: tuple[Any, ...]) -> None:
        linked = self._linked
        previous, linked.guest = linked.guest, self._guest
        _set_deadline(self._context, linked.ticks)
        try:
            failed = _call(*call)
        finally:
            linked.guest = previous
        if failed or self._trap:
            raise self._failure(failed)

    def _failure(self, failed: int | None) -> BaseException:
        cause: Exception = _error(failed) if failed else wasmtime.Trap._from_ptr(self._take_trap())
        return self._linked.take_error() or GuestTrap(_words(str(cause)))

    def _take_trap(self) -> Any:
        trap = ctypes.cast(self._trap, POINTER(ffi.wasm_trap_t))
        self._trap.value = None
        return trap

    def close(self) -> None:
        """Ends the instance and gives its memory back. It is not called again."""
        self._store.close()


def _error(pointer: int) -> wasmtime.WasmtimeError:
    return wasmtime.WasmtimeError._from_ptr(ctypes.cast(pointer, POINTER(ffi.wasmtime_error_t)))


def _words(text: str) -> str:
    """The cause alone: the engine puts a list of functions before it."""
    cause = text.strip().rpartition("wasm trap: ")[2].partition("\n")[0]
    return "the module ran for too long in one turn" if cause == "interrupt" else cause
