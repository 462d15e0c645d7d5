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
    """A node that runs TypeScript. Skips, with the reason, if there is none."""
    path = os.pathsep.join([str(ROOT / "node_modules" / ".bin"), os.environ.get("PATH", "")])
    found = shutil.which("node", path=path)
    if found is None:
        pytest.skip("node is not there; say `npm ci` first")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < 24:
        pytest.skip(f"node is {version}; these need 24 or newer, which `npm ci` brings")
    return found
