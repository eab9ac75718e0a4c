"""The one way in: whatever happens inside a step, a sentence or plain evidence comes out, in time and without a
secret."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from runbook.model.cutover.step import Kind
from runbook.steps import kinds
from runbook.steps.call import Call, StepError
from runbook.steps.kinds import ACTS, act
from runbook.steps.said import without_secrets
from tests.steps.misbehaving import TRICKLE, Server

Make = Callable[..., Call]


def test_every_kind_is_there() -> None:
    assert set(ACTS) == set(Kind)


def doing(monkeypatch: pytest.MonkeyPatch, work: Callable[[Call], Any]) -> None:
    monkeypatch.setattr(kinds, "ACTS", {Kind.PURGE: work})


def test_what_nobody_thought_of_is_a_sentence_without_a_secret(call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(call: Call) -> Any:
        raise KeyError(f"zone of {call.secrets['TOKEN']}")

    doing(monkeypatch, work)
    with pytest.raises(StepError) as error:
        act(Kind.PURGE, call(secrets={"TOKEN": "s3cr3t"}))
    assert str(error.value) == (
        "It failed in a way that it does not know: KeyError: 'zone of (hidden)'. This is a fault of the step"
        " the-step: report it, and do by hand what the step does."
    )
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


def test_a_sentence_of_a_step_comes_out_without_a_secret(call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_call: Call) -> Any:
        try:
            raise ValueError("s3cr3t")
        except ValueError as error:
            raise StepError("The zone s3cr3t is locked.") from error

    doing(monkeypatch, work)
    with pytest.raises(StepError) as error:
        act(Kind.PURGE, call(secrets={"TOKEN": "s3cr3t"}))
    assert str(error.value) == "The zone (hidden) is locked."
    assert error.value.__cause__ is None  # nothing to print a traceback of


def test_a_sentence_comes_out_short_and_plain(call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """An issuer, say, is whatever a host that was taken over says it is."""

    def work(_call: Call) -> Any:
        raise StepError(f"The issuer is a\r\n\x1b[2Jb{'c' * 5000}.")

    doing(monkeypatch, work)
    with pytest.raises(StepError, match=r"^The issuer is a \[2Jbc{2900,}…$") as error:
        act(Kind.PURGE, call())
    assert len(str(error.value)) == 3000


def test_evidence_comes_out_without_a_secret(call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    doing(monkeypatch, lambda _call: {"id": "x-s3cr3t-y", "deep": [{"s3cr3t": ("s3cr3t", 200, None, True)}]})
    assert act(Kind.PURGE, call(secrets={"TOKEN": "s3cr3t"})) == {
        "id": "x-(hidden)-y",
        "deep": [{"(hidden)": ["(hidden)", 200, None, True]}],
    }


def test_a_step_is_cut_off_at_its_deadline(call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_GRACE", 0.1)
    doing(monkeypatch, lambda _call: time.sleep(2))
    started = time.monotonic()
    with pytest.raises(
        StepError, match=r"^It was cut off after 0 s and may have acted all the same\. Run up again\.$"
    ):
        act(Kind.PURGE, call(seconds=0.2))
    assert time.monotonic() - started < 10, "a step may take 30 s"


@pytest.mark.parametrize("kind", [Kind.HEALTHY, Kind.BUILD_HEALTHY, Kind.LOCK])
def test_what_only_looks_has_done_nothing_when_it_is_cut_off(
    kind: Kind, call: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "_GRACE", 0.1)
    monkeypatch.setattr(kinds, "ACTS", {kind: lambda _call: time.sleep(2)})
    with pytest.raises(StepError, match=r"^It was cut off after 0 s\. Run up again\.$"):
        act(kind, call(seconds=0.2))


def test_an_answer_that_trickles_does_not_hold_a_step_up(server: Server, call: Make) -> None:
    """Each byte comes within the time limit of a read, and they never end."""
    server.on("POST /zones/z/purge_cache", TRICKLE)
    started = time.monotonic()
    with pytest.raises(
        StepError, match=r"^Cloudflare did not answer POST /zones/z/purge_cache in time\. It may have "
    ):
        act(
            Kind.PURGE,
            call({"zone_id": "z", "hosts": ["a.example"]}, {"CLOUDFLARE_API_TOKEN": "cf-token"}, seconds=0.3),
        )
    assert time.monotonic() - started < 2, "a step may take 30 s"


SECRET = 'p/a+s"s wörd\n'


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        SECRET.strip(),
        "p%2Fa%2Bs%22s%20w%C3%B6rd%0A",
        "p%2Fa%2Bs%22s+w%C3%B6rd%0A",
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps({"message": json.dumps(SECRET)}),
        repr(SECRET.encode()),
        "cC9hK3MicyB3w7ZyZAo=",
    ],
)
def test_a_secret_is_hidden_however_it_is_spelled(spelled: str) -> None:
    found = without_secrets({"TOKEN": SECRET}, f"<{spelled}>")
    assert "(hidden)" in found
    assert "rd" not in found


def test_short_secrets_are_hidden_as_words_only() -> None:
    """A feature switch that is kept as a secret must not garble the id of a build."""
    secrets = {"env:SWITCH": "1", "env:MODE": "on", "PIN": "482915"}
    found = {"deployment": "dpl_1on1", "count": 1, "port": 10, "pin": 482915, "text": "on: 1", "ok": True}
    assert without_secrets(secrets, found) == {
        "deployment": "dpl_1on1",
        "count": "(hidden)",
        "port": 10,
        "pin": "(hidden)",
        "text": "(hidden): (hidden)",
        "ok": True,
    }


def test_an_empty_secret_hides_nothing() -> None:
    assert without_secrets({"TOKEN": "", "OTHER": " \n"}, "all of it") == "all of it"


def test_of_a_user_and_a_password_the_password_alone_is_hidden_too() -> None:
    assert without_secrets({"AUTH": "admin:pass-word"}, "admin has pass-word") == "admin has (hidden)"
