"""A Go module that go.mod and go.sum in a folder here pin, and how it is built."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from script.engine.golang import Go
from script.engine.pins import go_version
from script.engine.places import Places
from script.engine.problems import failed
from script.engine.process import CommandFailed, Runner
from script.engine.progress import Progress


@dataclass(frozen=True)
class Module:
    """`flags` are for the linker and end where the program's version goes: a program that is built without it calls
    itself a development build, or nothing, which no version check accepts."""

    folder: str
    title: str  # in a sentence, for instance "the Pulumi CLI"
    flags: str
    packages: int  # seen on Linux in empty caches; people want to know how far it is, not the exact number

    def least_go(self, places: Places) -> str:
        """The least Go that the module accepts."""
        return go_version((places.pins / self.folder / "go.mod").read_text(encoding="utf-8"))

    def version(self, places: Places) -> str:
        """The version of the module that go.mod requires first: the one that holds the program."""
        file = places.pins / self.folder / "go.mod"
        required = re.search(r"(?m)^require \S+ v(\S+)", file.read_text(encoding="utf-8"))
        if not required:
            raise ValueError(f"{file} requires nothing")
        return required[1]

    def build(self, target: Path, places: Places, go: Go, runner: Runner) -> None:
        """Build the programs into `target`. Raises SetupError."""
        runner.progress.start(f"Building {self.title}")
        flags = f"{self.flags}{self.version(places)}"
        try:
            # "tool" stands for the packages of the tool lines in go.mod, the home of their paths.
            runner.run(
                [go.program, "build", "-v", "-trimpath", "-ldflags", flags, "-o", f"{target}/", "tool"],
                env=go.env,
                cwd=places.pins / self.folder,
                on_line=counter(runner.progress, self.packages),
            )
        except CommandFailed as error:
            raise failed(f"Building {self.title}", error.output) from None
        runner.progress.done(f"Built {self.title}")


def ingredients(modules: Sequence[Module], places: Places, recipe: Sequence[str]) -> list[bytes]:
    """All that what is built depends on, for a fingerprint. `recipe` is what the modules do not say."""
    pins = [places.pins / module.folder / name for module in modules for name in ("go.mod", "go.sum")]
    texts = [*recipe, platform.system(), platform.machine()]
    return [*(path.read_bytes() for path in pins), *(text.encode() for text in texts)]


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
