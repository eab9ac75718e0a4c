from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from runbook.rehearsal.report import page, report
from tests.rehearsal.samples import result, stack


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, page(result(), width))) <= width


def test_the_page_of_two_stacks_is_no_longer_than_a_screen_and_a_half() -> None:
    two = {name: each for name, each in result().stacks.items() if name != "staging"}

    assert len(list(page(replace(result(), stacks=two), 80))) <= 42


def test_the_page_says_whether_it_went_well_first() -> None:
    well, changed = (list(page(each, 80)) for each in (result(), result("update dns-auth")))

    assert well[1] == "171 resources made in 3 stacks; a second preview finds nothing left to change."
    assert changed[1] == "The second preview still finds 1 change: prod: update dns-auth."


def test_numbers_stay_with_what_they_count() -> None:
    lines = list(page(result(), 44))

    assert "              13 env vars," in lines
    assert "\N{NO-BREAK SPACE}" not in "".join(lines)


def test_it_names_another_stack_to_try() -> None:
    assert "  make rehearsal STACK=easymo-staging  the same for another stack" in list(page(result(), 80))
    only = replace(result(), stacks={"prod": stack("Ibimina")})
    assert "  make rehearsal STACK=staging  the same for another stack" in list(page(only, 80))


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def printed(terminal: bool) -> str:
        stream = io.StringIO()
        report(Console(file=stream, force_terminal=terminal, width=80), result())
        return stream.getvalue()

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1m" in printed(terminal=True)
    assert "\x1b" not in printed(terminal=False)
    assert printed(terminal=False).splitlines() == list(page(result(), 80))
