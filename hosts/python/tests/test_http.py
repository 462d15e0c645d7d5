"""The routes of the deployed Worker, over HTTP: the project's suite, against `serve` in a process of its own."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, built, node

SUITE = ROOT / "conformance" / "http" / "run.ts"


@pytest.mark.parametrize(("isolation", "store"), [("request", "memory"), ("pooled", "file"), ("shared", "memory")])
def test_suite(isolation: str, store: str, tmp_path: Path) -> None:
    module = built("worker.wasm")
    cache = "CACHE" if store == "memory" else f"CACHE={tmp_path / 'cache.db'}"
    serve = (
        f"{shlex.quote(sys.executable)} -m wasm_proactor serve {{module}} --port 0 --isolation {isolation} "
        f"--kv {shlex.quote(cache)} --origin UPSTREAM={{upstream}}"
    )
    command = [node(), str(SUITE), "--module", str(module), "--serve", serve]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    if ended.returncode != 0:
        pytest.fail(ended.stdout + ended.stderr, pytrace=False)
