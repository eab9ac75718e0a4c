"""The stack file of an earlier crossing: from the git commit that the ledger has, else from the engine's history."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.cli import evidence
from runbook.cli.codes import Code
from runbook.cli.errors import CliError
from runbook.cli.stack import Here, sections, whole_config

if TYPE_CHECKING:
    from runbook.model.settings import Settings

SECRETS = "runbook:secrets"


def stack_file(here: Here, tag: str) -> tuple[str, str]:
    """The file's text as it asked for the crossing `tag`, and a sentence that says where it is from.

    Raises: CliError where neither git nor the history has it."""
    ledger = here.memory.ledger
    known = dict(ledger.commits) if ledger else {}
    if commit := known.get(tag):
        text = _from_git(here, commit)
        if text is not None:
            return text, f"{here.file.name} of commit {commit[:12]}, which asked for {tag}."
    record = _record(here, tag)
    if record is not None and (text := _from_history(here, record)):
        return text, (
            f"{here.file.name} as the engine's history has it for {tag}, because no git commit does: "
            "comments and layout may differ, and the secrets are today's."
        )
    asked = ", ".join(known) or "none"
    raise CliError(
        f"No stack file of crossing {tag} can be found: the ledger knows the commits of {asked}.",
        f"Restore it by hand (git log -- {here.file.name}), then {here.command('plan')}.",
        Code.USAGE,
    )


def settings_of(text: str, name: str) -> Settings:
    """What a file asks for, without its secrets. Raises: CliError where it is not sound any more."""
    from runbook.model import reading
    from runbook.model.settings import Settings

    raw = {key: value for key, value in sections(text, name).items() if key != "secrets"}
    sound, problems = reading.sections(raw)
    if problems:
        raise CliError(
            f"{name} of then is not valid today ({problems[0].path}).",
            "Restore it by hand and mend it.",
            Code.REFUSED,
        )
    return Settings.model_construct(**sound)


def _from_git(here: Here, commit: str) -> str | None:
    """None where git is not at hand, or knows the commit no more."""
    try:
        done = subprocess.run(
            ["git", "show", f"{commit}:./{here.file.name}"],
            cwd=here.place.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def _record(here: Here, tag: str) -> Mapping[str, Any] | None:
    try:
        return evidence.load(here, tag)
    except CliError:
        return None


def _from_history(here: Here, record: Mapping[str, Any]) -> str | None:
    """The latest update that asked for what the crossing did: the file backend numbers none of them (seen, 3.258).

    Raises: CliError where today's file, which has the secrets, is no stack file."""
    today = here.file.read_text(encoding="utf-8")
    whole_config(today, here.file.name)
    for entry in here.engine.history():
        config = {key: _value(each) for key, each in entry.get("config", {}).items() if key != SECRETS}
        text = _over(today, config)
        try:
            settings = settings_of(text, here.file.name)
        except CliError:
            continue
        side = settings.side.model_dump(mode="json", by_alias=True)
        if settings.phase.value == record.get("phase") and side == record.get("to"):
            return text
    return None


def _value(each: Mapping[str, Any]) -> Any:
    if "objectValue" in each:
        return each["objectValue"]
    value = each.get("value", "")
    return json.loads(value) if value[:1] in ("{", "[") else value


def _over(text: str, config: Mapping[str, Any]) -> str:
    """Today's file with another config; its secrets, and how they are opened, stay. Written as the program's own
    reader reads it: to YAML 1.1 a bare 17:00 is a number."""
    import yaml

    whole = yaml.safe_load(text)
    kept = {key: value for key, value in whole["config"].items() if key == SECRETS}
    return yaml.safe_dump({**whole, "config": {**config, **kept}}, sort_keys=False, allow_unicode=True)
