"""Golden files: everything each committed stack registers, to read in a review. Update: script/golden."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.components.recording import Registration, Secret
from tests.stacks import STACKS, secrets

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.mark.parametrize("stack", STACKS)
def test_registrations_are_those_of_the_golden_file(stack: str, programs: dict[str, list[Registration]]) -> None:
    file = GOLDEN / f"{stack}.yaml"
    text = _text(programs[stack])
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), f"{file.name} is not current; look at it and run script/golden."


def _text(registrations: list[Registration]) -> str:
    declared = [registration for registration in registrations if registration.parent]
    resources = {registration.name: _shown(registration) for registration in declared}
    assert len(resources) == len(declared), "Two resources share a name, so one would be missing here."
    return yaml.safe_dump(dict(sorted(resources.items())), width=118, allow_unicode=True, sort_keys=False)


def _shown(registration: Registration) -> dict[str, Any]:
    flags = {
        name: True
        for name, on in (
            ("protect", registration.protect),
            ("deleteBeforeReplace", registration.delete_before_replace),
        )
        if on
    }
    parent = registration.parent.rpartition("::")[2]
    if registration.type.endswith(":Step"):
        return {"type": registration.type, "parent": parent, **_step(registration)}
    inputs = {key: value for key, value in registration.inputs.items() if key != "__provider"}  # a pickle
    return {"type": registration.type, "parent": parent, **flags, "inputs": _readable(inputs)}


def _step(registration: Registration) -> dict[str, Any]:
    """What differs from step to step, and what each waits for beside the ledger, which all wait for."""
    inputs = {name: registration.inputs[name] for name in ("kind", "trigger", "args", "secrets")}
    flags = {name: True for name in ("reported", "undone") if registration.inputs[name]}
    after = sorted(registration.waits - {"ledger"})
    return {**flags, "inputs": _readable(inputs), "reads": sorted(registration.inputs["reads"]), "after": after}


def _named(text: str) -> str:
    """With the secrets' names in place of their values, so that a review sees which secret goes where."""
    for stack in STACKS:
        for name, value in secrets(stack).items():
            text = text.replace(value, name)
    return text


def _readable(value: Any) -> Any:
    """Secrets by a mark, JSON texts as what they hold."""
    if isinstance(value, Secret):
        return f"[secret] {_named(str(value.value))}"
    if isinstance(value, dict):
        return {key: _readable(each) for key, each in sorted(value.items())}
    if isinstance(value, list):
        return [_readable(each) for each in value]
    if isinstance(value, str) and value[:1] == "{":
        try:
            return {"json": json.loads(value)}
        except json.JSONDecodeError:  # a log query begins with a brace too
            return value
    return value
