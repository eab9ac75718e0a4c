"""Generations of the secrets that a flip renews."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from pydantic import SecretStr

from runbook.model import serving
from runbook.model.cutover.generations import generation_of
from tests.model.cutover.examples import configured
from tests.stacks import platform

SECRET = SecretStr("from the stack's config")


def test_the_first_is_the_secret_itself() -> None:
    assert generation_of(SECRET, "TRUSTED_COOKIE_SECRET", 1) is SECRET


def test_a_later_one_is_derived_with_its_name_and_number() -> None:
    made = generation_of(SECRET, "TRUSTED_COOKIE_SECRET", 2).get_secret_value()
    assert made == hmac.new(b"from the stack's config", b"TRUSTED_COOKIE_SECRET:2", hashlib.sha256).hexdigest()
    assert made == generation_of(SECRET, "TRUSTED_COOKIE_SECRET", 2).get_secret_value(), "a build and the env agree"


def test_no_two_are_the_same() -> None:
    made = {
        generation_of(SecretStr(secret), name, number).get_secret_value()
        for secret in ("one", "two")
        for name in ("A", "B")
        for number in range(2, 12)
    }
    assert len(made) == 40
    assert all(len(each) == 64 for each in made), "as long as the check of a drain's secret asks, and longer"


def env(phase: str | None, generation: int | None = None) -> dict[str, Any]:
    web = serving.webs(platform("prod"), configured("prod", phase), generation)[0]
    return {variable.key: variable.value for variable in web.env if variable.sensitive}


def test_only_a_renewed_secret_changes_at_a_flip() -> None:
    before, after = env("prepared"), env("flipped")
    assert {key for key in before if before[key] != after[key]} == {"TRUSTED_COOKIE_SECRET"}
    assert env("rolled-back") == before


@pytest.mark.parametrize("phase", [None, "prepared", "flipped", "settled", "rolled-back"])
def test_the_generation_of_the_ledger_goes_before_the_sides(phase: str | None) -> None:
    """Once renewed, a secret stays renewed, whatever the config goes back to."""
    secret = configured("prod").secrets["TRUSTED_COOKIE_SECRET"]
    assert env(phase, 5)["TRUSTED_COOKIE_SECRET"] == generation_of(secret, "TRUSTED_COOKIE_SECRET", 5)
