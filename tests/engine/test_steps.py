"""A ledger and steps on the real engine: what makes a step act, and what is left when one fails."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from runbook.rehearsal.engine import Outcome
from tests.engine import tiny_stack
from tests.engine.bench import changes, flat
from tests.engine.tiny_stack import STACK, Tiny

SECRET = "a-token-that-nobody-may-see"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return empty(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def stack(made: Tiny) -> Tiny:
    """One stack for all tests, wherever the test before left it: each declares the crossing that it needs."""
    declare(made)
    made.behaviour, made.refused = {}, False
    return made


@pytest.fixture
def crossed(stack: Tiny) -> Tiny:
    """The same after a flip that is complete."""
    cross(stack, "flip")
    outcome = stack.up()
    assert outcome.code == 0, outcome.output
    return stack


def empty(folder: Path) -> Tiny:
    tiny = tiny_stack.make(folder)
    declare(tiny)
    return tiny


def declare(stack: Tiny) -> None:
    stack.steps = {
        "gate": {"secrets": {"TOKEN": SECRET}},
        "switch": {"reads": ["gate"]},
        "say": {"reported": True, "secrets": {"TOKEN": SECRET}},
    }
    in_order_of_flip(stack)


def in_order_of_flip(stack: Tiny) -> None:
    stack.after = {"records": ["gate"]}
    stack.steps["gate"]["after"] = []
    stack.steps["switch"] |= {"after": ["records"], "reads": ["gate"]}
    stack.steps["say"]["after"] = ["switch"]


def in_order_of_back(stack: Tiny) -> None:
    stack.after = {"records": ["switch"]}
    stack.steps["switch"] |= {"after": [], "reads": []}
    stack.steps["gate"]["after"] = ["records"]
    stack.steps["say"]["after"] = ["gate"]


def cross(stack: Tiny, direction: str) -> str:
    """Declare the next crossing. Returns its tag, which is the trigger of every step."""
    number = stack.ledger.get("crossing", 0) + 1
    tag = f"{number}-{direction}"
    for step in stack.steps.values():
        step["trigger"] = tag
    stack.ledger, stack.record = {"phase": tag, "crossing": number}, f"as of {tag}"
    return tag


def tag_of(stack: Tiny) -> str:
    """The crossing that is declared."""
    return str(stack.ledger["phase"])


def warnings(outcome: Outcome) -> list[str]:
    return [text for severity, text in outcome.events.messages if severity == "warning"]


def test_without_a_trigger_nothing_acts(tmp_path: Path) -> None:
    stack = empty(tmp_path)
    outcome = stack.up()

    assert outcome.code == 0, outcome.output
    assert stack.remembered() == (None, {})
    assert stack.acted() == ["record"]


def test_steps_act_in_order_and_a_reported_failure_is_told_and_repeated_alone(stack: Tiny) -> None:
    """It holds up nothing, and who reads of it is told."""
    tag = cross(stack, "flip")
    stack.steps["last"] = {"trigger": tag, "reads": ["say"], "after": ["say"]}
    stack.behaviour = {"gate": "tells", "say": "fails"}
    outcome = stack.up("--debug")

    assert outcome.code == 0, outcome.output
    assert stack.acted() == ["gate", "record", "switch", "say", "last"]
    assert stack.acts()[2]["others"] == {"gate": [tag, "", {"told": "(hidden)"}]}
    acted, failed, _ = stack.acts()[4]["others"]["say"]
    assert acted != tag
    assert failed == "Step say: the vendor answered 403 and repeated (hidden). Mend it."
    assert warnings(outcome) == [f"{failed}\nNothing waited for this; the next `pulumi up` tries it again."]

    stack.behaviour = {}
    outcome = stack.up()

    assert outcome.code == 0, outcome.output
    assert stack.acted() == ["say"]
    assert warnings(outcome) == []


def test_changed_arguments_and_edges_are_no_change(stack: Tiny) -> None:
    """A step that acted is not asked again, whatever else the config says; the program remembers what each saw."""
    tag = cross(stack, "flip")
    stack.behaviour = {"gate": "tells"}
    assert stack.up().code == 0
    stack.steps["gate"]["args"] = {"text": "another"}
    in_order_of_back(stack)
    preview = stack.run("preview")

    assert changes(preview) == {}
    assert stack.remembered() == (
        {"phase": tag, "crossing": stack.ledger["crossing"]},
        {
            "gate": {"acted": tag, "evidence": {"told": "(hidden)"}, "failed": ""},
            "switch": {"acted": tag, "evidence": {"saw": tag}, "failed": ""},
            "say": {"acted": tag, "evidence": {"saw": tag}, "failed": ""},
        },
    )


def test_neither_refresh_nor_a_preview_makes_a_step_act(crossed: Tiny) -> None:
    before = tag_of(crossed)
    cross(crossed, "back")
    preview = crossed.run("preview", "--refresh")

    assert changes(preview)["step-gate"] == ("update", ())
    assert crossed.acted() == []
    refresh = crossed.run("refresh", "--yes", "--skip-preview")
    assert refresh.code == 0, refresh.output
    assert crossed.acted() == []
    assert crossed.kept("step-gate")["outputs"]["acted"] == before


def test_a_step_that_fails_stops_what_waits_for_it_and_the_next_up_does_the_rest(stack: Tiny) -> None:
    """The failure is a sentence; nothing that was done is repeated."""
    in_order_of_back(stack)
    cross(stack, "back")
    stack.behaviour = {"switch": "fails"}
    outcome = stack.up()

    assert outcome.code != 0
    assert stack.acted() == ["switch"]
    assert outcome.events.errors == [
        "Exception calling application: Step switch: the vendor answered 403 and repeated . Mend it."
    ]
    assert "Traceback" not in outcome.output

    stack.behaviour = {}
    outcome = stack.up()

    assert outcome.code == 0, outcome.output
    assert stack.acted() == ["switch", "record", "gate", "say"]


def test_a_step_killed_in_the_middle_acts_again(stack: Tiny) -> None:
    tag = cross(stack, "flip")
    stack.behaviour = {"gate": "hangs"}
    run = stack.start("up", "--yes", "--skip-preview")
    while "gate" not in stack.acted() and run.process.poll() is None:
        time.sleep(0.05)
    os.kill(run.process.pid, signal.SIGKILL)
    run.wait()
    stack.behaviour = {}
    subprocess.run(
        ["pulumi", "cancel", "--yes", "--stack", STACK],
        executable=stack.engine.folder / "pulumi",
        cwd=stack.engine.root,
        env=stack.engine.environment,
        check=True,
        capture_output=True,
    )
    outcome = stack.up()

    assert outcome.code == 0, outcome.output
    assert stack.acted() == ["gate", "record", "switch", "say"]
    assert stack.kept("step-gate")["outputs"]["acted"] == tag


def test_what_the_ledger_refuses_is_refused_in_preview(crossed: Tiny) -> None:
    before = crossed.ledger
    crossed.ledger = {"phase": "refused"}
    outcome = crossed.run("preview")
    crossed.ledger = before  # the next crossing is counted from it

    assert outcome.code != 0
    assert outcome.events.errors == [
        "pulumi-python:dynamic/runbook:Ledger resource 'ledger' has a problem: "
        f"From {tag_of(crossed)} to refused is no move.\nallowed: any other\n\nAnd a second reason."
    ]


@pytest.mark.parametrize("around", [("--target", "**::step-say"), ("--exclude", "**Ledger**")])
def test_no_option_gets_round_what_the_program_refuses(stack: Tiny, around: tuple[str, str]) -> None:
    """The ledger's own check it would: it is not asked about what is left out."""
    cross(stack, "back")
    stack.refused = True
    outcome = stack.up(*around)

    assert outcome.code != 0
    assert "The program refuses." in outcome.output
    assert stack.acted() == []


def test_steps_that_wait_for_a_vendor_hold_up_no_other(crossed: Tiny) -> None:
    """Without a hand of ours the SDK serves four at a time, and the engine waits with everything else meanwhile."""
    crossed.steps |= {f"slow-{number}": {"trigger": "1-more"} for number in range(6)}
    crossed.steps["quick"] = {"trigger": "1-more"}
    crossed.behaviour = {name: "dawdles" for name in crossed.steps if name.startswith("slow")}
    outcome = crossed.up()

    began = [each["at"] for each in crossed.acts()]
    assert outcome.code == 0, outcome.output
    assert len(began) == 7
    assert max(began) - min(began) < 3


def test_no_secret_is_kept_or_told_in_the_clear(stack: Tiny) -> None:
    cross(stack, "flip")
    stack.behaviour = {"gate": "tells", "say": "fails"}
    assert stack.up("--debug").code == 0
    exported = stack.engine.export(STACK)
    secrets = [stack.kept(f"step-{name}")["inputs"]["secrets"] for name in stack.steps]
    written = [path for path in stack.engine.out.rglob("*") if path.is_file()]

    assert SECRET not in exported
    assert all("ciphertext" in each for each in secrets)
    assert any(path.name.endswith(".events.jsonl") for path in written)
    assert any(b"[debug]" in path.read_bytes() or b"debug:" in path.read_bytes() for path in written)
    assert [path.name for path in written if SECRET.encode() in path.read_bytes()] == []


def test_the_ledger_is_not_destroyed(crossed: Tiny) -> None:
    outcome = crossed.run("destroy", "--yes", "--skip-preview")

    assert outcome.code != 0
    assert "because it is protected" in flat(outcome.output)
    assert crossed.kept("ledger")["outputs"]["phase"] == tag_of(crossed)
