from __future__ import annotations

import io

from script.engine.module import counter
from script.engine.progress import Progress, duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_terminal_shows_one_line_that_is_written_over() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(stream, {"TERM": "xterm"}, clock)
    progress.start("Building")
    clock.now += 61
    progress.detail("12 of about 30 packages")
    progress.tick()
    clock.now += 100
    progress.done("Built")
    lines = stream.getvalue().split("\r\x1b[K")
    assert lines == ["", "Building", "Building, 61 s, 12 of about 30 packages", "Built in 2 min 41 s.\n"]


def test_elsewhere_a_plain_line_comes_every_fifteen_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, {"TERM": "xterm"}, clock)
    progress.start("Building")
    for _ in range(31):
        clock.now += 1
        progress.tick()
    progress.done("Built")
    assert stream.getvalue() == "Building\nBuilding, 15 s\nBuilding, 30 s\nBuilt in 31 s.\n"


def test_a_dumb_terminal_is_treated_like_a_file() -> None:
    stream = Terminal()
    Progress(stream, {"TERM": "dumb"}).start("Building")
    assert stream.getvalue() == "Building\n"


def test_no_line_is_wider_than_eighty_columns() -> None:
    for stream in (Terminal(), io.StringIO()):
        progress = Progress(stream, {"TERM": "xterm", "COLUMNS": "200"})
        progress.start("Building " + "x" * 100)
        assert len(stream.getvalue().replace("\r\x1b[K", "").strip()) == 79


def test_a_sentence_stands_alone_after_clear() -> None:
    stream = Terminal()
    progress = Progress(stream, {"TERM": "xterm"})
    progress.start("Building")
    progress.clear()
    progress.clear()
    assert stream.getvalue() == "\r\x1b[KBuilding\r\x1b[K"


def test_durations_read_like_speech() -> None:
    assert [duration(seconds) for seconds in (0.4, 59.9, 119, 120, 3671)] == [
        "0 s",
        "59 s",
        "119 s",
        "2 min 00 s",
        "61 min 11 s",
    ]


def test_what_go_prints_is_counted() -> None:
    seen: list[str] = []

    class Details(Progress):
        def detail(self, text: str) -> None:
            seen.append(text)

    line = counter(Details(io.StringIO(), {}), 700)
    for text in ("go: downloading a v1", "go: downloading b v1", "internal/cpu", "go: downloading c v1", "fmt", ""):
        line(text)
    assert seen == [
        "1 modules fetched, 0 of about 700 packages",
        "2 modules fetched, 0 of about 700 packages",
        "1 of about 700 packages",
        "1 of about 700 packages",
        "2 of about 700 packages",
        "2 of about 700 packages",
    ]
