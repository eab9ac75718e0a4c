from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from runbook.rehearsal.report import page, report
from runbook.rehearsal.result import Result
from tests.rehearsal.samples import result, stack, with_cutover


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("shown", [result(), with_cutover()], ids=["stacks", "cutover"])
def test_no_line_is_wider_than_the_terminal(shown: Result, width: int) -> None:
    assert max(map(len, page(shown, width))) <= width


def test_each_act_is_a_line_with_what_it_did_how_long_and_how_many_calls() -> None:
    lines = list(page(with_cutover(), 80))

    assert "  flipped after release  refused: window, release   2.1 s   4 calls" in lines
    assert "  flipped, login fails   27 updated, 1 failed       6.0 s  18 calls" in lines
    assert "  current := next        2 updated                  5.0 s   0 calls" in lines
    assert "  flipped at once  refused: move, window, opens-at, build   2.2 s   4 calls" in lines


def test_what_was_proven_is_said_and_what_was_not() -> None:
    well, badly = (
        " ".join(" ".join(page(each, 80)).split())
        for each in (with_cutover(), with_cutover(differs=["Rolled back, it differs."], lost=["flipped: delete dns"]))
    )
    for words in (
        "what clients observe is as it was, and what the clouds hold but for 1 exception,",
        "nothing that served was deleted or replaced",
        "with current := next no cloud is called",
        "0 % hold the old target 60 s after the flip at opens-at, 98 % after the one that did not wait",
    ):
        assert words in well
    assert "2 things are wrong, the first: Rolled back, it differs." in badly
    assert "Way back NOT PROVEN: Rolled back, it differs." in badly
    assert "the way back 7.6 s; NOT PROVEN: flipped: delete dns" in badly


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
