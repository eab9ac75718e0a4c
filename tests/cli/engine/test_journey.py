"""Each command on the real engine, as one stack goes through a cutover."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.engine.ground import Ground
from tests.cli.engine.journey import Journey, secrets_in

Travelled = tuple[Ground, Journey]


def test_the_same_config_gives_the_same_hash(journey: Travelled) -> None:
    """`apply` previews again: of prepared it says its own hash, of the first update that it was the approved one."""
    applied = journey[1].json["apply prepared"]["plan"]
    assert len(applied) == 64
    assert f"`{applied}`" in journey[1].done["plan as markdown"].stdout
    assert journey[1].done["apply"].returncode == 0


@pytest.mark.parametrize("what", ["record", "secret"])
def test_a_change_gives_another_hash(journey: Travelled, what: str) -> None:
    found = journey[1].json
    assert found["plan"]["digest"] != found[f"plan, another {what}"]["digest"]
    assert found[f"plan, another {what}"]["refused"] == ""


def test_an_old_hash_is_refused_with_the_difference(journey: Travelled) -> None:
    done = journey[1].done["apply of another plan"]
    assert done.returncode == 4
    assert "nothing was changed" in done.stderr
    assert "another" in done.stderr  # the record's content


def test_an_update_outlives_its_terminal(journey: Travelled) -> None:
    """Closed pipes and a hang-up in the middle: it went on to its end, and left no lock."""
    assert journey[1].done["apply"].returncode == 0
    status = journey[1].json["status after apply"]
    assert (status["phase"], status["lock"], status["left_behind"]) == ("steady", "", "")
    assert status["serving"]["auth"]["from"] == "observed"


def test_who_holds_the_lock_is_said(journey: Travelled) -> None:
    done = journey[1].done["rollback while locked"]
    assert done.returncode == 6
    assert "holds Pulumi's lock" in done.stderr
    assert "pulumi cancel --yes --stack prod" in done.stderr
    assert "holds Pulumi's lock" in journey[1].json["status while locked"]["lock"]


def test_nobody_reads_and_there_is_no_traceback(journey: Travelled) -> None:
    done = journey[1].done["evidence, nobody reads"]
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_phase_is_one_line_of_the_stack_file(journey: Travelled) -> None:
    done = journey[1].done["phase prepared"]
    changed = [line for line in done.stdout.splitlines() if line.startswith(("+ ", "- "))]
    assert changed == ["-    phase: steady", "+    phase: prepared"]


def test_the_comment_is_found_again_and_carries_the_hash(journey: Travelled) -> None:
    text = journey[1].done["plan as markdown"].stdout
    assert text.startswith("<!-- cutover-plan: prod -->\n")
    assert "`./cutover apply --stack prod --plan " in text


def test_prepared_says_when_the_flip_opens(journey: Travelled) -> None:
    found = journey[1].json
    assert found["apply prepared"]["changed"] > 0
    status = found["status prepared"]
    assert (status["phase"], status["open"]) == ("prepared", False)
    assert "the largest TTL before was 3600 s" in status["why"]
    assert status["way_back"] == {**status["way_back"], "possible": False, "seconds": 60 + 120}
    assert status["window"].startswith("open, for another ")


def test_a_flip_too_early_is_refused_and_the_comment_says_so(journey: Travelled) -> None:
    done = journey[1].done["plan too early"]
    assert done.returncode == 3
    assert "opens-at" in done.stdout
    assert "opens-at" in done.stderr


def test_nothing_is_left_out_of_a_crossing(journey: Travelled) -> None:
    done = journey[1].done["plan with a target"]
    assert done.returncode == 3
    assert "--target and --exclude skip the ledger" in " ".join(done.stderr.split())


def test_a_reviewer_reads_what_matters(journey: Travelled) -> None:
    text = journey[1].done["plan of the flip"].stdout
    titles = ("What people notice first", "What cannot be undone", "The way back", "Steps, in their order")
    assert [title for title in titles if f"\n{title}\n" in text] == list(titles)
    assert "Everybody is signed out" in text
    assert "/way-back/ibimina-prod.md" in text
    assert max(map(len, text.splitlines())) <= 100


def test_one_person_is_not_two(journey: Travelled) -> None:
    done = journey[1].done["apply by one person"]
    assert done.returncode == 3
    assert "two persons" in done.stderr


def test_ctrl_c_leaves_nothing_unsaid(journey: Travelled) -> None:
    """Twice, in the middle of a flip: the engine got one, and said goodbye properly."""
    done = journey[1].done["apply, stopped"]
    assert done.returncode == 130
    for said in ("was stopped by Ctrl-C", "no lock", "Go on: ", "Go back: ./cutover rollback"):
        assert said in " ".join(done.stdout.split())
    assert journey[1].texts["locks after the stop"] == "[]"
    status = journey[1].json["status, half flipped"]
    assert (status["crossing"], status["under_way"]) == ("1-flip", True)
    assert status["way_back"]["possible"] is True
    assert "rollback" in status["next"]


def test_the_progress_names_the_steps_of_the_runbook(journey: Travelled) -> None:
    lines = journey[1].done["apply, stopped"].stdout.replace("\n", " ")
    assert "end-sessions (3a, 3: drain user sessions)" in lines


def test_rollback_goes_back_at_once(journey: Travelled) -> None:
    done = journey[1].done["rollback"]
    assert done.returncode == 0
    assert "crossing 2-back is complete" in done.stdout
    assert "    phase: rolled-back\n" in journey[1].texts["file after rollback"]
    status = journey[1].json["status, back"]
    assert (status["phase"], status["under_way"]) == ("rolled-back", False)
    assert status["serving"]["auth"]["target"] == "ibiminaprodplacehold.supabase.co"
    assert status["evidence"]["crossing"] == "2-back"


def test_a_second_rollback_finds_nothing_to_do(journey: Travelled) -> None:
    done = journey[1].done["rollback again"]
    assert done.returncode == 0
    assert "nothing to go back from" in done.stdout


def test_without_its_state_the_page_is_named(journey: Travelled) -> None:
    at = journey[0]
    page = Path(at.clouds.endpoints()["out"]) / "way-back" / "ibimina-prod.md"
    done = journey[1].done["rollback without state"]
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert "The state could not be read, and the way back goes on." in said
    assert "Log in where the stack's state is (.venv/engine/pulumi login), or set PULUMI_BACKEND_URL." in said
    assert said.endswith("The way back that needs no Pulumi: " + str(page))


def test_what_is_missing_is_named_with_its_remedy(journey: Travelled) -> None:
    done = journey[1].done["plan elsewhere"]
    assert done.returncode == 1
    assert "or make the stack: .venv/engine/pulumi stack init prod" in done.stderr
    wrong = json.loads(journey[1].done["plan, wrong passphrase"].stdout)
    assert (wrong["code"], wrong["details"]) == (1, "")
    assert "incorrect passphrase" in wrong["error"]
    assert wrong["remedy"].startswith("Set PULUMI_CONFIG_PASSPHRASE_FILE")


def test_a_way_back_is_shown_live_and_signed_once_traffic_is_back(journey: Travelled) -> None:
    """On a terminal it asks who and why, after the last step."""
    said = journey[1].done["rollback"].stdout
    assert "3b, fast rollback" in said
    assert said.index("crossing 2-back is complete") < said.index("Who [") < said.index("Signed: ")


def test_evidence_carries_the_signature(journey: Travelled) -> None:
    assert "| signed | Ada of the night shift: Sign-in failed |" in journey[1].done["evidence"].stdout
    done = journey[1].done["evidence, signed anew"]
    assert done.returncode == 0
    assert "| signed | On call: It was the DNS |" in done.stdout
    record = journey[1].json["evidence"]
    assert (record["crossing"], record["signature"]["why"]) == ("2-back", "It was the DNS")


def test_the_way_back_needs_no_pulumi(journey: Travelled) -> None:
    done = journey[1].done["way-back"]
    assert done.returncode == 0
    assert done.stdout.startswith("# The way back of Ibimina prod\n")
    assert "pulumi" not in done.stdout.split("## 1.")[1].split("## 2.")[0].lower()


def test_drift_is_what_somebody_changed_and_nothing_else(journey: Travelled) -> None:
    assert journey[1].done["drift, none"].returncode == 0
    found = journey[1].json["drift"]["drift"]
    assert [(each["resource"], each["path"], each["found"]) for each in found] == [
        ("dns-member", "content", "elsewhere.example.com")
    ]
    assert journey[1].done["drift"].returncode == 5


@pytest.mark.parametrize("when", ["rollback to 1-flip", "rollback to the flip under way"])
def test_no_rollback_goes_forward(journey: Travelled, when: str) -> None:
    """The file of the flip asks for the flip, or to go on with it: that is planned and approved."""
    done = journey[1].done[when]
    assert done.returncode == 3
    assert "asks for something that is no way back" in " ".join(done.stderr.split())
    assert "phase: rolled-back" in journey[1].texts["file after rollback to 1-flip"]


def test_an_earlier_file_comes_from_the_commit_of_its_crossing(journey: Travelled) -> None:
    """Over a file with edits that nobody has committed, which are kept; the diff shows both, and it is applied."""
    at, seen = journey
    done, commit = seen.done["rollback to 2-back"], seen.texts["commit of 2-back"]
    assert done.returncode == 0, done.stderr
    assert f"Pulumi.prod.yaml of commit {commit[:12]}, which asked for 2-back." in " ".join(done.stdout.split())
    assert seen.texts["file after rollback to 2-back"] == seen.texts["committed for 2-back"]
    assert "+  runbook:cutover:\n" in done.stdout
    kept = at.folder / done.stdout.split("What it held until now: ")[1].splitlines()[0]
    assert kept.read_text(encoding="utf-8") == seen.texts["edited file"]
    assert kept.parent.stat().st_mode & 0o077 == 0
    assert "nothing had to move" in done.stdout


def test_an_earlier_file_comes_from_the_history_where_git_has_none(journey: Travelled) -> None:
    done = journey[1].done["rollback to 2-back, from history"]
    assert done.returncode == 0, done.stderr
    assert "as the engine's history has it" in " ".join(done.stdout.split())
    text = journey[1].texts["file from history"]
    assert "phase: rolled-back" in text
    assert "secure: " in text
    assert journey[1].done["rollback to 9-flip"].returncode == 2


def test_a_killed_command_is_not_forgotten(journey: Travelled) -> None:
    found = journey[1].json
    assert "`pulumi up` still runs" in found["status, killed"]["left_behind"]
    assert "ended while nobody watched" in found["status, over"]["left_behind"]
    assert (found["status, over"]["phase"], found["status, over"]["lock"]) == ("steady", "")


# What programs rely on, as the exit codes: what is taken away here, or renamed, breaks them.
FIELDS = {
    "plan": "stack title digest move crossing headline notice undone way_back way_back_seconds waits steps changes "
    "alone against refused short",
    "apply prepared": "stack plan changed crossing record",
    "status prepared": "stack asked phase since crossing under_way serving opens why open window freeze against "
    "way_back overrides evidence lock left_behind deployments unseen next",
    "rollback again": "stack crossing changed diff signature",
    "drift": "stack drift compared",
}


@pytest.mark.parametrize("command", FIELDS)
def test_what_programs_read_has_the_same_fields_at_every_time(journey: Travelled, command: str) -> None:
    assert list(journey[1].json[command]) == FIELDS[command].split()


def test_no_command_leaves_a_secret_behind(journey: Travelled) -> None:
    at, seen = journey
    assert secrets_in(at) == {}
    said = "".join(f"{done.stdout}{done.stderr}" for done in seen.done.values()) + str(seen.json)
    assert [name for name, value in at.file.secrets.items() if value in said] == []
