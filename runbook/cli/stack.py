"""What every command needs of a stack: read once, each part when it is first asked for."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.cli.codes import Code
from runbook.cli.engine import Engine, Pending
from runbook.cli.errors import CliError
from runbook.cli.place import ROOT, Place, place

if TYPE_CHECKING:
    from components.memory import Remembered
    from runbook.model.cutover.ledger import Memory
    from runbook.model.cutover.observed import Observed
    from runbook.model.cutover.refusals import Decision
    from runbook.model.platform import Platform
    from runbook.model.settings import Settings
    from runbook.steps.reach import Reach

_PREFIX = "runbook:"


class Here:
    """One stack as it is now. Every part raises CliError with a remedy where it cannot be had.

    `raw`: the stack file's sections, secrets as ciphertext. `settings`: typed, secrets in the clear. `memory`: what
    the state holds of crossings. `observed`: what answers now; it never fails, its `failures` say what was not seen.
    """

    def __init__(self, where: Place, stack: str) -> None:
        self.place, self.stack = where, stack
        self.engine = Engine(where, stack)
        self._config: Pending | None = None
        self._export: Pending | None = None
        self._looking: threading.Thread | None = None

    @classmethod
    def of(cls, stack: str | None, practice: bool = False) -> Here:
        """Raises: CliError for a stack that is not there."""
        where = place(practice)
        return cls(where, where.named(stack))

    def begin(self) -> Here:
        """Start reading config and state side by side; the rest of a command's work goes on meanwhile."""
        self._config, self._export = self.engine.begin_config(), self.engine.begin_export()
        return self

    def look_ahead(self) -> None:
        """Look at what serves while something else takes its time; what goes wrong is told by whoever asks for it."""

        def look() -> None:
            with contextlib.suppress(Exception):
                if self.settings.cutover:
                    _ = self.decision

        self._looking = threading.Thread(target=look, daemon=True)
        self._looking.start()

    def looked(self) -> None:
        """Wait for that: no part is read by two threads at once."""
        if self._looking:
            self._looking.join()

    @property
    def file(self) -> Path:
        """The stack file."""
        return self.place.file(self.stack)

    def shown(self, path: Path) -> str:
        """As it is written from the checkout, also where the practice ground's folder lies in it."""
        whole = self.place.folder / path
        return str(whole.relative_to(ROOT)) if whole.is_relative_to(ROOT) else str(path)

    def command(self, words: str) -> str:
        """A command of this program for this stack."""
        return self.place.command(words, self.stack)

    @property
    def freeing(self) -> str:
        """The command that frees the stack's lock, whoever holds it."""
        return self.place.pulumi("cancel --yes", self.stack)

    @cached_property
    def raw(self) -> Mapping[str, Any]:
        return sections(self.file.read_text(encoding="utf-8"), self.file.name)

    @cached_property
    def platform(self) -> Platform:
        from runbook import platforms
        from runbook.model.problems import ConfigError
        from runbook.model.reading import platform_name

        try:
            return platforms.load(platform_name(self.stack, self.raw, platforms.names()))
        except ConfigError as error:
            raise _config_error(error) from None

    @cached_property
    def settings(self) -> Settings:
        from runbook.model.problems import ConfigError
        from runbook.model.reading import read

        platform = self.platform
        stored = self.raw.get("secrets") or {}
        clear = [name for name, value in stored.items() if name != "secure" and not isinstance(value, dict)]
        try:
            return read(self.stack, self._values(), platform, clear)
        except ConfigError as error:
            raise _config_error(error) from None

    def _values(self) -> dict[str, Any]:
        """The config as the engine hands it to the program: objects parsed, all else as text."""
        found = (self._config or self.engine.begin_config()).json()
        return {
            key.removeprefix(_PREFIX): json.loads(each["value"]) if each["value"][:1] in ("{", "[") else each["value"]
            for key, each in found.items()
            if key.startswith(_PREFIX)
        }

    @cached_property
    def exported(self) -> Mapping[str, Any]:
        return (self._export or self.engine.begin_export()).json()

    @cached_property
    def resources(self) -> tuple[Mapping[str, Any], ...]:
        """The state's resources, without those that only wait to be deleted."""
        found = self.exported.get("deployment", {}).get("resources") or ()
        return tuple(each for each in found if not each.get("delete"))

    @cached_property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs of the last update."""
        stacks = (each for each in self.resources if each["type"] == "pulumi:pulumi:Stack")
        return next(stacks, {}).get("outputs") or {}

    @cached_property
    def remembered(self) -> Remembered:
        from components.memory import remembered

        return remembered(self.exported)

    @cached_property
    def memory(self) -> Memory:
        return self.remembered.memory()

    @cached_property
    def reach(self) -> Reach:
        from components.cutover import reach_of

        return reach_of(self.settings)

    @cached_property
    def now(self) -> datetime:
        return self.reach.now()

    @cached_property
    def observed(self) -> Observed:
        """All that serves, and what the program itself looks at before it decides."""
        from components.cutover import look
        from runbook.cli.wanted import wanted

        return look(wanted(self.platform, self.settings, self.memory), self.settings, self.reach)

    @cached_property
    def decision(self) -> Decision:
        """What an `up` would be now, and what speaks against it."""
        from components.cutover import missing_sources
        from runbook.model.cutover.refusals import decide

        missing = missing_sources(self.settings, self.place.folder)
        return decide(self.platform, self.settings, self.memory, self.observed, self.now, missing)

    @property
    def out(self) -> Path:
        """Folder of the pages and the evidence."""
        endpoints = self.raw.get("endpoints") or {}
        return self.place.folder / str(endpoints.get("out", "out"))

    @property
    def title(self) -> str:
        """Such as ibimina-prod: how the files of this stack begin."""
        return f"{self.raw.get('platform')}-{self.raw.get('environment')}"


def sections(text: str, name: str) -> dict[str, Any]:
    """A stack file's sections without their namespace. Raises: CliError"""
    config = whole_config(text, name)
    return {key.removeprefix(_PREFIX): value for key, value in config.items() if key.startswith(_PREFIX)}


def whole_config(text: str, name: str) -> dict[str, Any]:
    """A stack file's config as it stands, secrets as ciphertext. Raises: CliError"""
    import yaml

    try:
        whole = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise CliError(f"{name} is no valid YAML{line}.", "Mend it and run the same command again.") from None
    config = whole.get("config") if isinstance(whole, dict) else None
    if not isinstance(config, dict):
        raise CliError(f"{name} has no section config.", "Copy the shape of another stack file.")
    return config


def _config_error(error: Exception) -> CliError:
    first, _, rest = str(error).partition("\n\n")
    return CliError(first, "Each is listed with the edit to make.", Code.REFUSED, rest)
