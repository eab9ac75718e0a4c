"""Edits of a stack file: the few characters that a move is, with comments and layout left as they are."""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runbook.cli.codes import Code
from runbook.cli.errors import CliError

_CUTOVER, _CURRENT = "runbook:cutover", "runbook:current"
_SCALAR = re.compile(r"""(["']?)[\w-]*\1""")


def with_phase(text: str, phase: str, name: str) -> str:
    """The text with another `cutover.phase`; nothing else of it changes. Raises: CliError without a cutover."""
    block = _config(text, name).get(_CUTOVER)
    if not isinstance(block, Mapping) or "phase" not in block:
        raise CliError(
            f"{name} has no cutover, so it has no phase to change.",
            f"Write the section {_CUTOVER} with phase, window, owners, backOut and next (docs/first-cutover.md).",
            Code.USAGE,
        )
    row, column = block.lc.value("phase")  # type: ignore[attr-defined]  # ruamel's mark on what it parsed
    lines = text.splitlines(keepends=True)
    line = lines[row]
    lines[row] = line[:column] + _SCALAR.sub(phase, line[column:], count=1)
    return "".join(lines)


def without_cutover(text: str, name: str) -> str:
    """Past `settled`: what was next is current, and the cutover is over."""
    whole = _loaded(text, name)
    config = _section(whole, name)
    current, coming = config[_CURRENT], config[_CUTOVER]["next"]
    for key, value in coming.items():
        if key == "env":
            for app, values in value.items():
                current.setdefault("env", {}).setdefault(app, {}).update(values)
        elif isinstance(value, Mapping):
            current.setdefault(key, {}).update(value)
        else:
            current[key] = value
    if "generation" not in coming:  # the renewed secrets stay renewed
        current["generation"] = int(current.get("generation", 1)) + 1
    del config[_CUTOVER]
    written = io.StringIO()
    _yaml().dump(whole, written)
    return written.getvalue()


def phase_of(text: str, name: str) -> str:
    """What the file asks for; steady without a cutover."""
    block = _config(text, name).get(_CUTOVER)
    return str(block.get("phase", "")) if isinstance(block, Mapping) else "steady"


def diff(before: str, after: str, name: str) -> list[str]:
    """A unified diff, two lines around each change."""
    lines = (before.splitlines(keepends=True), after.splitlines(keepends=True))
    return list(difflib.unified_diff(*lines, name, name, n=2))


def write(path: Path, text: str) -> None:
    """Whole or not at all. Raises: CliError"""
    made = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        made.write_text(text, encoding="utf-8")
        if path.exists():
            made.chmod(path.stat().st_mode & 0o777)
        made.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            made.unlink()
        raise CliError(f"{path.name} cannot be written ({error.strerror}).", "Mend that and try again.") from None


def _config(text: str, name: str) -> Any:
    return _section(_loaded(text, name), name)


def _loaded(text: str, name: str) -> Any:
    """Raises: CliError where it is no YAML."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return _yaml().load(text)
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        line = f" in line {mark.line + 1}" if mark else ""
        raise CliError(
            f"{name} is no valid YAML{line}.", "Mend it and run the same command again.", Code.USAGE
        ) from None


def _section(whole: Any, name: str) -> Any:
    if not isinstance(whole, Mapping) or not isinstance(whole.get("config"), Mapping):
        raise CliError(f"{name} has no section config.", "Copy the shape of another stack file.", Code.USAGE)
    return whole["config"]


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000  # no line is broken that was not
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
