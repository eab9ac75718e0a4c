"""After a cutover and its way back no secret lies in clear but at the vendors, of neither generation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from runbook.model.cutover.generations import generation_of
from tests.engine.cutover.play import STACK, Play
from tests.engine.cutover.points import Points

RENEWED = "TRUSTED_COOKIE_SECRET"


def _secrets(play: Play) -> dict[str, str]:
    given = dict(play.files[STACK].secrets)
    second = generation_of(SecretStr(given[RENEWED]), RENEWED, 2).get_secret_value()
    passphrase = play.engine.environment["PULUMI_CONFIG_PASSPHRASE"]
    return {**given, f"{RENEWED} 2": second, "passphrase": passphrase}


def _leaks(secrets: dict[str, str], text: str) -> list[str]:
    return [name for name, value in secrets.items() if value in text or value.split("/")[-1] in text]


def test_none_is_kept_told_or_written(at: Callable[[str], Play], points: Points) -> None:
    play = at("rolled-back")
    secrets = _secrets(play)
    written = [path for out in points.outs() for path in out.rglob("*") if _ours(path)]

    names = {path.name for path in written}
    assert {"ibimina-prod.md", "ibimina-prod-1-flip.json", "ibimina-prod-2-back.json", "1-up.events.jsonl"} <= names
    assert _leaks(secrets, play.engine.export(STACK)) == []
    found = [(str(path), name) for path in written for name in _leaks(secrets, path.read_text("utf-8", "replace"))]
    assert found == []


def test_the_vendors_have_them(at: Callable[[str], Play]) -> None:
    """Or else there would be nothing to leak, and the test above could not fail."""
    play = at("rolled-back")
    held = json.dumps([each.properties for each in play.clouds.store.objects()])

    assert {RENEWED, f"{RENEWED} 2"} <= {*_leaks(_secrets(play), held)}


def _ours(path: Path) -> bool:
    return path.is_file() and not path.name.startswith("clouds.db")
