"""What a command prints: plain text for people on stdout, or one JSON object there; progress and errors on stderr."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any, NoReturn, TextIO, cast

from rich.console import Console, RenderableType
from rich.text import Text

from runbook.cli.codes import Code
from runbook.cli.errors import CliError

WIDTH = 80  # a terminal on a bad connection


class _Stream:
    """A stream whose reader may go away, or whose terminal may be closed: the command then goes on to its end in
    silence, and its exit code stays true."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except UnicodeEncodeError:  # a terminal that is not set to UTF-8
            code = self._stream.encoding
            return self._stream.write(text.encode(code, "replace").decode(code))
        except OSError:
            mute(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            mute(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Out:
    """`json`: nothing but `data` reaches stdout. Colour only on a terminal, and not under NO_COLOR."""

    def __init__(self, json: bool = False) -> None:
        self.json = json
        self.console, self.errors = console(sys.stdout), console(sys.stderr)

    @property
    def lively(self) -> bool:
        """Whether a line on stderr can be written over. (FORCE_COLOR asks for colour, not for a terminal.)"""
        return self.errors.file.isatty() and not self.errors.is_dumb_terminal

    def say(self, text: str | RenderableType = "", style: str = "") -> None:
        """Text as it is, for people; broken at words, never in the middle of one."""
        if not self.json:
            shown = Text(text, style=style) if isinstance(text, str) else text
            self.console.print(shown, soft_wrap=False)

    def raw(self, text: str) -> None:
        """Text that is pasted or piped on, such as YAML, a diff or Markdown: no line of it is broken."""
        if not self.json:
            self.console.print(Text(text), soft_wrap=True)

    def diff(self, lines: Sequence[str]) -> None:
        """A unified diff."""
        for line in lines if not self.json else ():
            style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
            self.console.print(Text(line.rstrip("\n"), style=style), soft_wrap=True)

    def heading(self, text: str) -> None:
        self.say()
        self.say(text, "bold")

    def table(self, rows: Mapping[str, str] | Sequence[tuple[str, str]]) -> None:
        """Label and text in two columns; long texts are broken within theirs."""
        pairs = list(rows.items() if isinstance(rows, Mapping) else rows)
        margin = max((len(label) for label, _ in pairs), default=0) + 4
        for label, text in pairs:
            first, *others = _wrapped(text, self.console.width - 1 - margin) or [""]
            self.say(Text.assemble((f"  {label}".ljust(margin), "cyan"), first))
            for line in others:
                self.say(" " * margin + line)

    def points(self, lines: Iterable[str], indent: int = 2) -> None:
        """Sentences, each after a dash."""
        for line in lines:
            first, *others = _wrapped(line, self.console.width - 3 - indent) or [""]
            self.say(f"{' ' * indent}- {first}")
            for other in others:
                self.say(f"{' ' * indent}  {other}")

    def data(self, content: Mapping[str, Any]) -> None:
        """The command's answer for programs; printed with --json alone."""
        if self.json:
            self.console.print(Text(json.dumps(content, indent=2, ensure_ascii=False, default=str)), soft_wrap=True)

    def note(self, text: str, style: str = "") -> None:
        """Progress and remarks, on stderr."""
        self.errors.print(Text(text, style=style))

    def fail(self, sentence: str, remedy: str, code: Code = Code.FAILED, details: str = "") -> NoReturn:
        """Raises: CliError, which ends the command."""
        raise CliError(sentence, remedy, code, details)

    def failed(self, error: CliError) -> int:
        """Tell an error, and give its exit code."""
        self.errors.print(Text(error.sentence, style="bold red"))
        if error.remedy:  # on a line of its own, which is not broken: most hold a command
            self.errors.print(Text(error.remedy, style="bold red"), soft_wrap=True)
        if error.details:
            self.errors.print(Text(f"\n{error.details}"), soft_wrap=True)
        if not error.in_data:
            self.data(error.as_json())
        return error.code.value


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 20), break_long_words=False, break_on_hyphens=False)


def console(stream: TextIO) -> Console:
    """80 columns, or fewer where the terminal has fewer."""
    made = Console(file=cast(IO[str], _Stream(stream)), highlight=False, legacy_windows=False)
    made.width = min(made.width, WIDTH)
    return made


def mute(stream: IO[str]) -> None:
    """What is still written to a stream that nobody reads goes nowhere, also what Python flushes at its end."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
