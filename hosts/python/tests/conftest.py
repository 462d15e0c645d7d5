"""What the tests share: where the project's files are, and guests that must have been built."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def built(name: str) -> Path:
    """A guest in build/. Fails, with what to do, if it is not there."""
    path = ROOT / "build" / name
    if not path.exists():
        pytest.fail(f"{path} is not there: say `npm run build` in {ROOT} first", pytrace=False)
    return path


def node() -> str:
    """A node that runs TypeScript. Without one these tests are not run on somebody's machine, and fail in CI."""
    not_run = pytest.fail if os.environ.get("CI") else pytest.skip
    path = os.pathsep.join([str(ROOT / "node_modules" / ".bin"), os.environ.get("PATH", "")])
    found = shutil.which("node", path=path)
    if found is None:
        not_run("node is not there; say `npm ci` first")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < 24:
        not_run(f"node is {version}; these need 24 or newer, which `npm ci` brings")
    return found
