"""The CLI and its Python host, built from the Go modules that cli/ and host/ pin."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from script.engine import disk
from script.engine.golang import Go
from script.engine.places import Places
from script.engine.problems import failed
from script.engine.process import CommandFailed, Runner
from script.engine.progress import Progress

# host/ is an old module: the host of today is a module of its own, and not every module proxy carries it.
MODULES = {"cli": "the Pulumi CLI", "host": "its Python host"}
# Two scripts that the host and the dynamic providers start; the engine looks for them beside the CLI.
SDK = "github.com/pulumi/pulumi/sdk/v3"
SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
# Without its version the CLI calls itself a development build, which no version check accepts; with the v
# because the official build's `pulumi version` prints one.
FLAGS = "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v"
# Seen on Linux in empty caches; people want to know how far it is, not the exact number.
PACKAGES = {"cli": 1670, "host": 280}
# Measured: modules 1.75 GB, build cache 1.83 GB, the programs 0.13 GB.
NEEDED_BYTES = {"GOMODCACHE": 1_800_000_000, "GOCACHE": 1_900_000_000}
RESULT_BYTES = 200_000_000


def build(into: Path, places: Places, go: Go, runner: Runner) -> None:
    """Build into `into`/bin. Raises SetupError."""
    disk.check({into: RESULT_BYTES} | {go.folder(name): count for name, count in NEEDED_BYTES.items()})
    target = into / "bin"
    target.mkdir()
    for module, name in MODULES.items():
        runner.progress.start(f"Building {name}")
        folder = places.pins / module
        flags = f"{FLAGS}{_version(folder)}"
        try:
            # "tool" stands for the packages of the tool lines in go.mod, the home of their paths.
            runner.run(
                [go.program, "build", "-v", "-trimpath", "-ldflags", flags, "-o", target, "tool"],
                env=go.env,
                cwd=folder,
                on_line=counter(runner.progress, PACKAGES[module]),
            )
            if module == "cli":
                _copy_scripts(
                    runner.run([go.program, "list", "-m", "-f", "{{.Dir}}", SDK], env=go.env, cwd=folder), target
                )
        except CommandFailed as error:
            raise failed(f"Building {name}", error.output) from None
        runner.progress.done(f"Built {name}")


def counter(progress: Progress, about: int) -> Callable[[str], None]:
    """Reads what `go build -v` prints, a line per module fetched and per package compiled."""
    fetched = compiled = 0

    def line(text: str) -> None:
        nonlocal fetched, compiled
        if text.startswith("go: downloading "):
            fetched += 1
        elif text and " " not in text:
            compiled += 1
        modules = f"{fetched} modules fetched, " if fetched and not compiled else ""
        progress.detail(f"{modules}{compiled} of about {about} packages")

    return line


def _version(folder: Path) -> str:
    """The version of the module that go.mod requires first: the one that holds the program."""
    required = re.search(r"(?m)^require \S+ v(\S+)", (folder / "go.mod").read_text(encoding="utf-8"))
    if not required:
        raise ValueError(f"{folder / 'go.mod'} requires nothing")
    return required[1]


def _copy_scripts(listed: str, target: Path) -> None:
    module = Path(listed.splitlines()[-1])
    for script in SCRIPTS:
        copy = target / Path(script).name
        shutil.copyfile(module / script, copy)
        copy.chmod(0o755)
