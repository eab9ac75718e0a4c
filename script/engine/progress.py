"""One line that says what set-up is doing: rewritten on a terminal, repeated now and then elsewhere."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from typing import TextIO

REPEAT_SECONDS = 15


def duration(seconds: float) -> str:
    """ "12 s" below two minutes, "3 min 07 s" from there."""
    whole = int(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60:02d} s"


class Progress:
    """Shows one piece of work. No colour is used, so NO_COLOR is honoured by construction."""

    def __init__(
        self,
        stream: TextIO,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._live = stream.isatty() and environ.get("TERM", "dumb") != "dumb"
        self._clock = clock
        self._title = ""
        self._detail = ""
        self._began = 0.0
        self._shown = 0.0

    def start(self, title: str) -> None:
        """Begin a piece of work, for instance "Building the Pulumi CLI"."""
        self._title, self._detail = title, ""
        self._began = self._clock()
        self._show()

    def detail(self, text: str) -> None:
        """Say how far the work is; shown at the next tick."""
        self._detail = text

    def tick(self) -> None:
        """Called several times a second while the work runs."""
        if self._live or self._clock() - self._shown >= REPEAT_SECONDS:
            self._show()

    def done(self, text: str) -> None:
        """End the piece of work with a line that stays, for instance "Pulumi CLI built"."""
        self._write(f"{text} in {duration(self._clock() - self._began)}.", stays=True)
        self._title = ""

    def give_up(self, text: str) -> None:
        """End the piece of work without its result, with a line that stays and says how it goes on."""
        self._write(text, stays=True)
        self._title = ""

    def clear(self) -> None:
        """Take the rewritten line away, so that a sentence stands alone."""
        if self._live and self._title:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
        self._title = ""

    def _show(self) -> None:
        self._shown = self._clock()
        elapsed = self._shown - self._began
        parts = [self._title, duration(elapsed) if elapsed >= 1 else "", self._detail]
        self._write(", ".join(part for part in parts if part), stays=not self._live)

    def _write(self, text: str, *, stays: bool) -> None:
        columns = shutil.get_terminal_size().columns if self._live else 80
        line = text[: min(columns, 80) - 1]
        self._stream.write(("\r\x1b[K" if self._live else "") + line + ("\n" if stays else ""))
        self._stream.flush()
