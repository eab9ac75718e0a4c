"""Files that a crossing leaves behind: the way back on paper, and what every step saw."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from runbook.steps.call import Call, StepError


def write(call: Call) -> dict[str, Any]:
    """A text at a path. Twice writes the same."""
    path = Path(call.args["path"])
    return {"path": str(path), "sha256": _replace(path, call.args["text"])}


def complete(call: Call) -> dict[str, Any]:
    """The evidence file of a crossing: args.record, by whom, when, what each step saw or why it could not, and under
    `earlier` what steps that had nothing to do now saw before, each with the trigger they then acted on.

    Twice writes it again, with the later time: a crossing that was cut short here was not complete before."""
    path, at = Path(call.args["path"]), call.reach.now().isoformat()
    steps: dict[str, Any] = {}
    earlier: dict[str, Any] = {}
    for name, evidence in sorted(call.read.items()):
        acted = call.acted[name]
        if failed := call.failed.get(name):
            steps[name] = {"failed": failed}
        elif call.trigger in acted.split("/"):
            steps[name] = dict(evidence)
        elif acted:
            earlier[name] = {"acted": acted, "evidence": dict(evidence)}
    seen = {"steps": steps, "earlier": earlier}
    content = {**call.args["record"], "crossing": call.trigger, "at": at, "by": by_whom(), **seen}
    _replace(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return {"at": at, "path": str(path)}


def by_whom() -> dict[str, str]:
    """Who runs this: CI knows, and names its run; anyone else only claims to be somebody."""
    seen = os.environ
    if seen.get("GITHUB_ACTIONS") == "true":
        run = seen.get("GITHUB_RUN_ID", "")
        url = f"{seen.get('GITHUB_SERVER_URL', '')}/{seen.get('GITHUB_REPOSITORY', '')}/actions/runs/{run}"
        return {"github": seen.get("GITHUB_ACTOR", ""), "run": run, "url": url}
    if seen.get("GITLAB_CI") == "true":
        url = seen.get("CI_JOB_URL", "")
        return {"gitlab": seen.get("GITLAB_USER_LOGIN", ""), "run": seen.get("CI_JOB_ID", ""), "url": url}
    return {"claimed": _user()}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"user {os.getuid()}"


def _replace(path: Path, text: str) -> str:
    """Whole or not at all, readable for everyone; gives the SHA-256 of the text."""
    content = text.encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                file.write(content)
                os.fchmod(file.fileno(), 0o644)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, path)
            except OSError:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise StepError(
            f"{path} cannot be written: {error.strerror or error}. Make room or mend its rights."
        ) from None
    return hashlib.sha256(content).hexdigest()
