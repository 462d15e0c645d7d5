"""wasm-proactor: WebAssembly modules with asynchronous I/O, served in Python.

    app = Proactor("app.wasm", resources={"CACHE": kv(MemoryStore()), "API": origin("https://api.example.com")})

`app` is an ASGI 3 application; without HTTP, `await app.fetch(Request("GET", "http://localhost/page"))` answers.
"""

from .abi import Status
from .deadlines import Clock, SystemClock, Timer
from .failure import StoreError
from .host import Counters, Shutdown
from .kv_memory import MemoryStore
from .kv_sqlite import SqliteStore
from .limits import Limits
from .message import Request, Response, Stream
from .module import Module, ModuleError
from .proactor import Isolation, Proactor
from .report import ErrorReport, OnError, Token
from .resource import Fetcher, Grant, Grants, KvKey, KvPage, KvRight, KvStore, KvValue, kv, origin

__all__ = [
    "Clock",
    "Counters",
    "ErrorReport",
    "Fetcher",
    "Grant",
    "Grants",
    "Isolation",
    "KvKey",
    "KvPage",
    "KvRight",
    "KvStore",
    "KvValue",
    "Limits",
    "MemoryStore",
    "Module",
    "ModuleError",
    "OnError",
    "Proactor",
    "Request",
    "Response",
    "Shutdown",
    "SqliteStore",
    "Status",
    "StoreError",
    "Stream",
    "SystemClock",
    "Timer",
    "Token",
    "kv",
    "origin",
]
