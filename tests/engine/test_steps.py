"""A ledger and steps on the real engine: what makes a step act, and what is left when one fails."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from runbook.rehearsal.engine import Outcome
from tests.engine import tiny_stack
from tests.engine.bench import changes, flat
from tests.engine.tiny_stack import STACK, Tiny

SECRET = "a-token-that-nobody-may-see"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Tests change it in the order in which they stand here, and each but the last leaves a stack that can go on."""
    tiny = tiny_stack.make(tmp_path_factory.mktemp("tiny"))
    tiny.steps = {
        "gate": {"secrets": {"TOKEN": SECRET}},
        "switch": {"reads": ["gate"]},
        "say": {"reported": True, "secrets": {"TOKEN": SECRET}},
    }
    in_order_of_flip(tiny)
    return tiny


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


@pytest.fixture(autouse=True)
def _calm(stack: Tiny) -> Iterator[None]:
    yield
    stack.behaviour, stack.refused = {}, False


def cross(stack: Tiny, trigger: str) -> None:
    """Declare a crossing."""
    for step in stack.steps.values():
        step["trigger"] = trigger
    stack.ledger, stack.record = {"phase": trigger, "crossing": 1}, f"as of {trigger}"


def warnings(outcome: Outcome) -> list[str]:
    return [text for severity, text in outcome.events.messages if severity == "warning"]


def test_without_a_trigger_nothing_acts(stack: Tiny) -> None:
    outcome = stack.up()

    assert outcome.code == 0, outcome.output
    assert stack.remembered() == (None, {})
    assert stack.acted() == ["record"]


def test_steps_act_in_order_and_a_reported_failure_is_told_where_it_holds_up_nothing(stack: Tiny) -> None:
    cross(stack, "1-flip")
    stack.behaviour = {"gate": "tells", "say": "fails"}
    outcome = stack.up("--debug")

    assert outcome.code == 0, outcome.output
    assert stack.acted() == ["gate", "record", "switch", "say"]
    assert stack.acts()[2]["read"] == {"gate": {"told": "(hidden)"}}
    assert warnings(outcome) == [
        "Step say: the vendor answered 403 and repeated (hidden). Mend it.\n"
        "Nothing waited for this; the next `pulumi up` tries it again."
    ]


def test_the_next_up_repeats_what_failed_alone(stack: Tiny) -> None:
    outcome = stack.up()

    assert outcome.code == 0, outcome.output
    assert stack.acted() == ["say"]
    assert warnings(outcome) == []


def test_changed_arguments_and_edges_are_no_change(stack: Tiny) -> None:
    """A step that acted is not asked again, whatever else the config says; the program remembers what each saw."""
    stack.steps["gate"]["args"] = {"text": "another"}
    in_order_of_back(stack)
    preview = stack.run("preview")

    assert changes(preview) == {}
    assert stack.remembered() == (
        {"phase": "1-flip", "crossing": 1},
        {
            "gate": {"acted": "1-flip", "evidence": {"told": "(hidden)"}, "failed": ""},
            "switch": {"acted": "1-flip", "evidence": {"saw": "1-flip"}, "failed": ""},
            "say": {"acted": "1-flip", "evidence": {"saw": "1-flip"}, "failed": ""},
        },
    )


def test_neither_refresh_nor_a_preview_makes_a_step_act(stack: Tiny) -> None:
    cross(stack, "2-back")
    preview = stack.run("preview", "--refresh")

    assert changes(preview)["step-gate"] == ("update", ())
    assert stack.acted() == []
    refresh = stack.run("refresh", "--yes", "--skip-preview")
    assert refresh.code == 0, refresh.output
    assert stack.acted() == []
    assert stack.kept("step-gate")["outputs"]["acted"] == "1-flip"


def test_a_step_that_fails_stops_what_waits_for_it_and_is_a_sentence(stack: Tiny) -> None:
    stack.behaviour = {"switch": "fails"}
    outcome = stack.up()

    assert outcome.code != 0
    assert stack.acted() == ["switch"]
    assert outcome.events.errors == [
        "Exception calling application: Step switch: the vendor answered 403 and repeated . Mend it."
    ]
    assert "Traceback" not in outcome.output


def test_the_next_up_does_the_rest_and_repeats_nothing(stack: Tiny) -> None:
    outcome = stack.up()

    assert outcome.code == 0, outcome.output
    assert stack.acted() == ["switch", "record", "gate", "say"]


def test_a_step_killed_in_the_middle_acts_again(stack: Tiny) -> None:
    in_order_of_flip(stack)
    cross(stack, "3-flip")
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
    assert stack.kept("step-gate")["outputs"]["acted"] == "3-flip"


def test_what_the_ledger_refuses_is_refused_in_preview(stack: Tiny) -> None:
    before = stack.ledger
    stack.ledger = {"phase": "refused"}
    outcome = stack.run("preview")
    stack.ledger = before

    assert outcome.code != 0
    assert outcome.events.errors == [
        "pulumi-python:dynamic/runbook:Ledger resource 'ledger' has a problem: "
        "From 3-flip to refused is no move.\nallowed: any other\n\nAnd a second reason."
    ]


@pytest.mark.parametrize("around", [("--target", "**::step-say"), ("--exclude", "**Ledger**")])
def test_no_option_gets_round_what_the_program_refuses(stack: Tiny, around: tuple[str, str]) -> None:
    """The ledger's own check it would: it is not asked about what is left out."""
    stack.refused = True
    outcome = stack.up(*around)

    assert outcome.code != 0
    assert "The program refuses." in outcome.output
    assert stack.acted() == []


def test_steps_that_wait_for_a_vendor_hold_up_no_other(stack: Tiny) -> None:
    """Without a hand of ours the SDK serves four at a time, and the engine waits with everything else meanwhile."""
    stack.steps |= {f"slow-{number}": {"trigger": "4-back"} for number in range(6)}
    stack.steps["quick"] = {"trigger": "4-back"}
    stack.behaviour = {name: "dawdles" for name in stack.steps if name.startswith("slow")}
    outcome = stack.up()

    began = [each["at"] for each in stack.acts()]
    assert outcome.code == 0, outcome.output
    assert len(began) == 7
    assert max(began) - min(began) < 3


def test_no_secret_is_kept_or_told_in_the_clear(stack: Tiny) -> None:
    exported = stack.engine.export(STACK)
    secrets = [stack.kept(f"step-{name}")["inputs"]["secrets"] for name in stack.steps]
    written = [path for path in stack.engine.out.rglob("*") if path.is_file()]

    assert SECRET not in exported
    assert all("ciphertext" in each for each in secrets)
    assert any(path.name.endswith(".events.jsonl") for path in written)
    assert any(b"[debug]" in path.read_bytes() or b"debug:" in path.read_bytes() for path in written)
    assert [path.name for path in written if SECRET.encode() in path.read_bytes()] == []


def test_the_ledger_is_not_destroyed(stack: Tiny) -> None:
    outcome = stack.run("destroy", "--yes", "--skip-preview")

    assert outcome.code != 0
    assert "because it is protected" in flat(outcome.output)
    assert stack.kept("ledger")["outputs"]["phase"] == "3-flip"
