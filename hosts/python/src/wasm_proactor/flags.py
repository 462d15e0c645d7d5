"""Flags: what is served, where, and what it may reach. The same in every host, whatever its language."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn, cast

from .names import check_names
from .proactor import ISOLATIONS, Isolation
from .resource import KV_RIGHTS, KvRight

_PORT_MAX = 65_535
_KV = re.compile(r"([^:=]+)(?::([^=]*))?(?:=(.+))?", re.DOTALL)
_ORIGIN = re.compile(r"([^=]+)=(.+)", re.DOTALL)


class BadUse(Exception):
    """Something that whoever has called can put right: said in a sentence, with exit code 2."""


@dataclass(frozen=True, slots=True)
class KvFlag:
    """A KV namespace: in memory, or in the file `path`."""

    rights: tuple[KvRight, ...]
    path: str | None


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says."""

    module: str
    host: str
    port: int
    isolation: Isolation
    kv: dict[str, KvFlag]
    origins: dict[str, tuple[str, ...]]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadUse(message)


def parse_flags(arguments: Sequence[str]) -> Flags:
    """Raises a BadUse. Whether an origin is one is for `origin()` to say."""
    parser = _Parser("python -m wasm_proactor", allow_abbrev=False)
    serve = parser.add_subparsers(required=True, metavar="serve").add_parser(
        "serve", help="serves a module over HTTP", allow_abbrev=False
    )
    serve.add_argument("module", metavar="app.wasm")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen")
    serve.add_argument("--port", default="8787", help="0 takes a free one; 8787 if not given")
    serve.add_argument("--isolation", default="pooled", help="request, pooled (the default) or shared")
    serve.add_argument(
        "--kv",
        action="append",
        default=[],
        metavar="NAME[:rights][=path]",
        help="grants a KV namespace, in memory or in a file; rights are read,write,list or some of them",
    )
    serve.add_argument("--origin", action="append", default=[], metavar="NAME=url[,url…]", help="grants HTTP origins")
    values = parser.parse_args(arguments)
    kv = [_kv_of(text) for text in values.kv]
    origins = [_origin_of(text) for text in values.origin]
    names = [name for name, _ in [*kv, *origins]]
    if twice := next((name for index, name in enumerate(names) if name in names[:index]), None):
        raise BadUse(f"{twice} is granted twice")
    if values.isolation not in ISOLATIONS:
        raise BadUse(f"--isolation takes {', '.join(ISOLATIONS)}, not {values.isolation}")
    return Flags(values.module, values.host, _port_of(values.port), values.isolation, dict(kv), dict(origins))


def _port_of(text: str) -> int:
    if not re.fullmatch("[0-9]+", text) or int(text) > _PORT_MAX:
        raise BadUse(f"--port takes 0 to {_PORT_MAX}, not {text}")
    return int(text)


def _kv_of(text: str) -> tuple[str, KvFlag]:
    match = _KV.fullmatch(text)
    if not match:
        raise BadUse(f'--kv takes NAME, NAME=file or NAME:read,list=file, not "{text}"')
    name, listed, path = match.groups()
    rights = KV_RIGHTS if listed is None else tuple(listed.split(","))
    try:
        check_names(f"the rights of {name}", rights, KV_RIGHTS)
    except ValueError as error:
        raise BadUse(str(error)) from error
    return name, KvFlag(cast(tuple[KvRight, ...], rights), path)


def _origin_of(text: str) -> tuple[str, tuple[str, ...]]:
    match = _ORIGIN.fullmatch(text)
    if not match:
        raise BadUse(f'--origin takes NAME=https://api.example.com, not "{text}"')
    return match[1], tuple(match[2].split(","))
