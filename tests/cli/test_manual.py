"""`runbook`: what `status` knows of the stack stands on the page, and what could not be looked at is said."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runbook.cli import manual, standing
from runbook.cli.commands import runbook as command
from runbook.cli.errors import CliError
from runbook.cli.place import Place
from runbook.cli.stack import Here
from runbook.cli.standing import Standing
from runbook.model.rows import left_to_people
from tests.model.cutover.examples import config, configured
from tests.stacks import ROOT, platform

AT = datetime(2026, 12, 5, 19, 30, tzinfo=UTC)
SEEN = Standing(
    stack="prod",
    asked="flipped",
    phase="prepared",
    since="2026-12-05T18:00:00+00:00",
    serving={
        "staff": {
            "host": "staff.ibimina.rw", "target": "cname.vercel-dns.com", "build": "dpl_1", "from": "observed"
        },
        "auth": {"target": "x.supabase.co", "from": "the state, not looked at"},
    },
    opens="2026-12-05 21:05 UTC",
    why="It was lowered at 20:00.",
    window="opens in 30 min",
    against=[{"rule": "opens-at", "allowed": "flipped from 21:05 on.", "edit": "Wait."}],
    way_back={"possible": False, "seconds": 180, "text": "3 min", "why": "A TTL of 60 s."},
    unseen=["build staff: Vercel answered 503."],
    next="./cutover plan --stack prod",
)  # fmt: skip


def here(**parts: Any) -> Here:
    """The stack prod, prepared; without an engine."""
    made = Here(Place(Path("."), {}), "prod")
    vars(made).update(platform=platform("prod"), settings=configured("prod"), now=AT, **parts)
    return made


def shown(monkeypatch: pytest.MonkeyPatch, seen: Standing, **parts: Any) -> str:
    monkeypatch.setattr(standing, "standing", lambda _: seen)
    text, unseen = manual.manual(here(**parts))
    assert unseen == seen.unseen
    return " ".join(text.split())


def test_what_is_so_now_stands_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, SEEN)
    for told in (
        "## Now, 2026-12-05 19:30 UTC",
        "- phase: prepared since 2026-12-05 18:00 UTC; the stack file asks for flipped",
        "- staff: staff.ibimina.rw at cname.vercel-dns.com, build dpl_1 ",
        "- auth: at x.supabase.co (the state, not looked at)",
        "- cutover window: opens in 30 min",
        "- the flip opens: 2026-12-05 21:05 UTC. It was lowered at 20:00.",
        "- a way back takes: 3 min. A TTL of 60 s.",
        "- against an update now (opens-at): flipped from 21:05 on.",
        "- not seen: build staff: Vercel answered 503.",
        "Next: ./cutover plan --stack prod",
        "**When the flip opens.** 2026-12-05 21:05 UTC. It was lowered at 20:00. When exactly",
        "### prepared (the stack is here)",
        "Pulumi.prod.yaml holds this under `config`:",
    ):
        assert told in text, told


def test_what_stays_with_people_is_taken_from_the_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, SEEN)
    rows = left_to_people((ROOT / "docs/rows.md").read_text(encoding="utf-8"), "Ibimina")
    assert len(rows) > 5
    assert all(f"- {row}" in text for row in rows)


def test_of_a_steady_stack_nothing_is_against(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, Standing(stack="prod", asked="steady", against=SEEN.against))
    assert "- phase: none: no update has been made; the stack file asks for steady" in text
    assert "against an update" not in text
    assert "- cutover window: none: the stack file has no cutover" in text


def test_commands_are_those_of_a_practice(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, SEEN, place=Place(Path("."), {}, practice=True, stack="prod"))
    assert "./cutover rollback --practice" in text
    assert "./cutover rollback --stack" not in text


def test_without_its_secrets_the_page_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "standing", lambda _: SEEN)
    made = here()
    text, _ = manual.manual(made)
    locked = Here(made.place, "prod")
    file = {key: value for key, value in config("prod").items() if key != "secrets"}
    vars(locked).update(platform=platform("prod"), raw=file, now=AT)

    def refuse(self: Here) -> None:
        raise CliError("The passphrase is missing.", "Set PULUMI_CONFIG_PASSPHRASE.")

    monkeypatch.setattr(Here, "settings", property(refuse))
    assert manual.manual(locked)[0] == text


def test_a_stack_file_that_is_wrong_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "standing", lambda _: SEEN)

    def refuse(self: Here) -> None:
        raise CliError("1 problem.", "Mend it.", details="current.release: ...")

    made = here()
    vars(made).pop("settings")
    monkeypatch.setattr(Here, "settings", property(refuse))
    with pytest.raises(CliError, match="1 problem"):
        manual.manual(made)


def test_the_command_prints_the_page_or_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(standing, "standing", lambda _: SEEN)
    monkeypatch.setattr(Here, "of", classmethod(lambda cls, stack, practice=False: here()))
    command.command()
    page = capsys.readouterr().out
    command.command(json=True)
    plain = json.loads(capsys.readouterr().out)
    assert plain == {"stack": "prod", "page": page, "unseen": SEEN.unseen}
    assert "\n```sh\n./cutover phase prepared --stack prod\n./cutover plan --stack prod\n" in page
