"""How config is read as a whole: all mistakes at once, in one order, and nothing secret in what is said."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.model.checks import CHECKS, Check
from runbook.model.problems import ConfigError, Problem, nearest, path
from runbook.model.reading import read
from runbook.model.settings import Settings
from tests.model.cases import Case, read_edited, refusing, whole
from tests.model.cutover import examples
from tests.model.test_bad_input import CASES
from tests.stacks import STACKS, platform
from tests.stacks import settings as stack_settings

SECTIONS = {field.alias or name: name for name, field in Settings.model_fields.items()}
EXAMPLES = settings(max_examples=60, derandomize=True, database=None, deadline=None)


def sound() -> list[tuple[str, Settings]]:
    """Every committed stack, without a cutover and with one."""
    return [(stack, each) for stack in STACKS for each in (stack_settings(stack), examples.configured(stack))]


# A mistake for each check, so that each can be tried while other sections are broken.
@cache
def refused() -> dict[Check, Case]:
    return {check: case for case in CASES for check in refusing(case)}


def test_committed_stack_files_are_sound() -> None:
    for stack in STACKS:
        assert stack_settings(stack).platform == platform(stack).name


@pytest.mark.parametrize(("needs", "check"), CHECKS, ids=lambda each: getattr(each, "__name__", ""))
def test_check_reads_only_the_sections_it_declares(needs: frozenset[str], check: Check) -> None:
    for stack, found in sound():
        only = Settings.model_construct(**{name: getattr(found, name) for name in needs})
        for name in Settings.model_fields.keys() - needs:
            only.__dict__.pop(name, None)  # defaults too: reading one is reading a section that may be broken
        assert list(check(platform(stack), only)) == []


@pytest.mark.parametrize(("needs", "check"), CHECKS, ids=lambda each: getattr(each, "__name__", ""))
def test_check_declares_no_section_that_it_does_not_read(needs: frozenset[str], check: Check) -> None:
    """Or it would be left out for a mistake that is none of its business."""
    for name in needs:
        with pytest.raises(AttributeError, match=name):
            _check_without(name, check)


def _check_without(section: str, check: Check) -> None:
    for stack, found in sound():
        less = found.model_copy()
        less.__dict__.pop(section)
        list(check(platform(stack), less))


@pytest.mark.parametrize(("needs", "check"), CHECKS, ids=lambda each: getattr(each, "__name__", ""))
def test_check_still_refuses_while_another_section_is_broken(needs: frozenset[str], check: Check) -> None:
    for key, name in SECTIONS.items():
        if name not in needs:
            assert check in refusing(refused()[check], key), f"a mistake in {key} hides {check.__name__}"


def test_order_of_mistakes_does_not_depend_on_the_order_of_the_file() -> None:
    several = [case for case in CASES if len(case.edits) > 3]
    assert several
    for case in several:
        turned = Case(case.title, case.stack, case.edits[::-1], case.message)
        with pytest.raises(ConfigError) as error:
            read_edited(turned)
        assert str(error.value) == case.message


def test_tenth_entry_of_a_list_comes_after_the_second() -> None:
    entries = [{"name": f"n{number}.ibimina.rw", "type": "MX", "content": "mail.ibimina.rw"} for number in range(11)]
    with pytest.raises(ConfigError) as error:
        read("prod", whole("prod") | {"records": entries}, platform("prod"))
    assert [problem.path for problem in error.value.problems] == [
        path("records", number, "priority") for number in range(11)
    ]


MARK = "xK9secretQ"
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, -1, 0, 10**30, 2.5, float("nan"), "", " ", "\x00\x1b[2J\n", "é.example", "a" * 300, "..", "0", [],
        {}, [[]], {"": {}}, {1: 2}, [None], f"https://u:{MARK}@files.example/{MARK}?{MARK}#{MARK}",
        f"https://hooks.example/{MARK}", f"postgresql://u:{MARK}/{MARK}@db.example/x", [f"https://x.example/{MARK}"],
        {"unknown": MARK}, {"kind": "slack", "channel": "#x", "secret": f"https://hooks.example/{MARK}"},
    ]
)  # fmt: skip


def _places(value: Any, *above: str | int) -> list[tuple[str | int, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(place for key, each in inside for place in _places(each, *above, key))]


GONE = object()


def _inside(config: Any, place: tuple[str | int, ...]) -> Any:
    for key in place:
        there = isinstance(config, dict) and key in config
        there = there or (isinstance(config, list) and isinstance(key, int) and key < len(config))
        config = config[key] if there else GONE
    return config


@EXAMPLES
@given(data=st.data(), stack=st.sampled_from(STACKS))
def test_any_broken_config_gives_sentences_without_a_secret(data: st.DataObject, stack: str) -> None:
    config = deepcopy(whole(stack))
    config["secrets"] = {name: f"{value[:-10]}{MARK}" for name, value in config["secrets"].items()}
    places = [place for place in _places(config) if place and place != ("platform",)]
    for place in data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=4)):
        holder = _inside(config, place[:-1])
        if _inside(holder, place[-1:]) is GONE:
            continue  # by an earlier change
        change = data.draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "replace":
            holder[place[-1]] = deepcopy(data.draw(JUNK))
        elif change == "remove":
            del holder[place[-1]]
        elif isinstance(holder, dict):
            holder["unknownKey"] = deepcopy(data.draw(JUNK))
    with pytest.raises(ConfigError) as error:  # at the least, secrets that are in clear text
        read(stack, config, platform(stack), list(whole(stack)["secrets"]))
    assert MARK not in str(error.value)
    assert "\x1b" not in str(error.value), "control characters reach no terminal"
    for problem in error.value.problems:
        assert problem.allowed.endswith(".")
        assert problem.edit.splitlines()[0].endswith((".", ":"))


@pytest.mark.parametrize(
    ("word", "meant"),
    [("enviroment", "environment"), ("Prod", "prod"), ("zzz", None), ("production", "prod")],
)
def test_nearest(word: str, meant: str | None) -> None:
    assert nearest(word, ["environment", "prod"]) == meant


def test_command_names_the_stack_and_is_not_broken() -> None:
    long = "A" * 70
    text = Problem(path("x"), 1, "A text.", f"Run this:\npulumi {long} --stack {{stack}}").text("easymo-prod")
    assert text.splitlines()[-1] == f"   pulumi {long} --stack easymo-prod"
