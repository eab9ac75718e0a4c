from __future__ import annotations

import pytest
import yaml

from runbook.cli import edits
from runbook.cli.errors import CliError

FILE = """\
# Ibimina, production.
config:
  runbook:zone: ibimina.rw   # ours
  runbook:current:
    authHost: auth.ibimina.rw
    supabaseRef: old
    env:
      staff: {SUPPORT_URL: https://old.example}
    targets:
      # the edge
      staff: cname.vercel-dns.com
      auth: old.supabase.co
  runbook:cutover:
    # agreed on Monday
    phase: prepared  # since Tuesday
    window: {start: "2026-11-24 08:00", end: "2026-11-24 10:00", zone: Africa/Kigali}
    next:
      supabaseRef: new
      env:
        staff: {SUPPORT_URL: https://new.example}
      targets:
        auth: new.supabase.co
  runbook:records:
    - {name: a.ibimina.rw, type: TXT, content: '"x"', ttl: 3600}
encryptionsalt: v1:abc
"""


def test_only_the_word_changes() -> None:
    text = edits.with_phase(FILE, "rolled-back", "Pulumi.prod.yaml")
    assert text == FILE.replace("phase: prepared", "phase: rolled-back")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('{phase: "prepared", soak: 1h}', "{phase: flipped, soak: 1h}"),
        ("{phase: 'prepared'}", "{phase: flipped}"),
        ("{soak: 1h, phase: rolled-back}", "{soak: 1h, phase: flipped}"),
    ],
)
def test_however_the_block_is_written(was: str, becomes: str) -> None:
    text = edits.with_phase(f"config:\n  runbook:cutover: {was}\n", "flipped", "f")
    assert text == f"config:\n  runbook:cutover: {becomes}\n"


@pytest.mark.parametrize("text", ["config:\n  runbook:zone: a\n", "config:\n  runbook:cutover: {soak: 1h}\n"])
def test_without_a_cutover_there_is_no_phase(text: str) -> None:
    with pytest.raises(CliError, match="has no cutover") as error:
        edits.with_phase(text, "flipped", "Pulumi.prod.yaml")
    assert error.value.code == 2
    assert edits.phase_of("config:\n  runbook:zone: a\n", "f") == "steady"


@pytest.mark.parametrize("text", ["", "- a\n", "config: 3\n"])
def test_a_file_that_is_no_stack_file(text: str) -> None:
    with pytest.raises(CliError, match="has no section config"):
        edits.with_phase(text, "flipped", "f")


def test_settled_what_was_next_is_current() -> None:
    text = edits.without_cutover(FILE, "f")
    config = yaml.safe_load(text)["config"]
    assert "runbook:cutover" not in config
    assert config["runbook:current"] == {
        "authHost": "auth.ibimina.rw",
        "supabaseRef": "new",
        "env": {"staff": {"SUPPORT_URL": "https://new.example"}},
        "targets": {"staff": "cname.vercel-dns.com", "auth": "new.supabase.co"},
        "generation": 2,
    }
    for kept in ("# Ibimina, production.", "# ours", "# the edge", "encryptionsalt: v1:abc", "content: '\"x\"'"):
        assert kept in text


def test_a_named_generation_is_kept() -> None:
    text = FILE.replace("      supabaseRef: new\n", "      supabaseRef: new\n      generation: 7\n")
    assert yaml.safe_load(edits.without_cutover(text, "f"))["config"]["runbook:current"]["generation"] == 7


def test_a_diff_is_short() -> None:
    lines = edits.diff(FILE, edits.with_phase(FILE, "flipped", "f"), "f")
    assert [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")] == [
        "-    phase: prepared  # since Tuesday\n",
        "+    phase: flipped  # since Tuesday\n",
    ]
    assert len(lines) < 10
