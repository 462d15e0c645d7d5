"""Every case of conformance/cases, natively in process. The runner of the project does the same over a pipe."""

import json
from collections.abc import Iterator
from difflib import ndiff
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, built
from wasm_proactor.conformance import World

Json = dict[str, Any]


def cases() -> Iterator[Any]:
    for file in sorted((ROOT / "conformance" / "cases").glob("*.json")):
        for case in json.loads(file.read_text()):
            yield pytest.param(case["steps"], id=f"{file.stem}: {case['title']}")


@pytest.mark.parametrize("steps", [*cases()])
def test_case(steps: list[Json]) -> None:
    world = World()
    try:
        for number, step in enumerate(steps, 1):
            found = lines(alike(world.perform(command(step["do"]))))
            expected = lines(alike(step.get("expect", {})))
            if found != expected:
                shown = "\n".join(line for line in ndiff(expected, found) if not line.startswith("?"))
                pytest.fail(f"step {number}: {json.dumps(step['do'])}\n{shown}", pytrace=False)
    finally:
        world.close()


def command(said: Json) -> Json:
    if said["do"] != "start":
        return said
    return {**said, "module": str(built(str(Path(said["module"]).relative_to("build"))))}


def alike(reply: Json) -> Json:
    """The reply without what hosts may differ in."""
    reply = dict(reply)
    for field, key in (("calls", "call"), ("answers", "id")):
        if field in reply:
            reply[field] = sorted(
                ({**entry, "headers": sorted(entry.get("headers", []), key=name)} for entry in reply[field]),
                key=lambda entry, key=key: entry[key],  # type: ignore[misc]
            )
    for field in ("aborted", "closed"):
        if field in reply:
            reply[field] = sorted(reply[field])
    # What the guest itself says is the guest's; the other words are the host's.
    reports = [
        {key: value for key, value in report.items() if key != "message" or report.get("file")}
        for report in reply.get("reports", [])
    ]
    return {**reply, "reports": reports}


def name(header: list[str]) -> str:
    return header[0]


def lines(reply: Json) -> list[str]:
    """A line for each thing that is seen, and none for what is empty."""
    return [
        f"{field}: {entry if isinstance(entry, str) else json.dumps(without_empty(entry), sort_keys=True)}"
        for field, value in sorted(reply.items())
        for entry in (value if isinstance(value, list) else [value])
    ]


def without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        inner = {key: without_empty(entry) for key, entry in value.items()}
        return {key: entry for key, entry in inner.items() if entry not in (None, "", []) or key == "value"}
    return [without_empty(entry) for entry in value] if isinstance(value, list | tuple) else value
