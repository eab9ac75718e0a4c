"""A summary as a comment of a pull request: what a reviewer reads in a minute, and the rest folded away.

GitHub refuses a comment of more than 65,536 characters. The hidden first line names the stack, so that a later run
finds its comment and edits it in place.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Iterator

from runbook.model.plans.summary import Part, Summary
from runbook.model.problems import WIDTH

MOST = 60_000  # characters
_CUT = "Cut here: the rest is shown by `./cutover plan`."


def marker(stack: str) -> str:
    """The comment's first line, which nobody sees."""
    return f"<!-- cutover-plan: {stack} -->"


def markdown(found: Summary) -> str:
    """The comment, MOST characters at most: of one that is longer the details are cut, and say so."""
    head = "\n\n".join([marker(found.stack), *_head(found)])
    details = list(_details(found))
    room = MOST - len(head) - sum(len(_folded(title, [])) + len(_CUT) + 4 for title, _ in details)
    text = _cut(head, MOST)
    for title, lines in details:
        kept = _fitting(lines, room)
        room -= sum(len(line) + 1 for line in kept)
        text += "\n\n" + _folded(title, kept if len(kept) == len(lines) else [*kept, "", _CUT])
    return text + "\n" if len(text) < MOST else _cut(text, MOST)


def _head(found: Summary) -> Iterator[str]:
    yield f"## Plan of {_safe(found.title)}: {found.move}"
    yield _prose(f"**{_safe(found.headline)}**")
    if found.refused:
        yield _fenced(found.refused)
        return
    if found.against:
        yield _prose("**Refused by the plan rules; nothing of it can be applied:**")
        yield _fenced("\n\n".join(each.text(number) for number, each in enumerate(found.against, 1)))
    elif found.goes_back:
        yield "A way back needs no approval:"
        yield f"`./cutover rollback --stack {found.stack}`"
    elif found.changes or found.steps:
        yield "What is approved is exactly this plan:"
        yield f"`./cutover apply --stack {found.stack} --plan {found.short}`"
        yield f"Hash: `{found.digest}`"
    yield from _section("What people notice first", found.notice)
    yield from _section("What cannot be undone", found.undone)
    yield from _section("The way back", found.way_back)
    yield from _section("What waits", found.waits)
    yield from _section("What stays as it is", found.alone)


def _details(found: Summary) -> Iterator[tuple[str, list[str]]]:
    if found.refused:
        return
    for title, parts in (
        ("Steps that act, in their order", found.steps),
        ("Declared changes, by cloud", found.changes),
    ):
        number = sum(len(part.lines) for part in parts)
        if number:
            yield f"{title}: {number}", [line for part in parts for line in _part(part)]


def _part(part: Part) -> Iterator[str]:
    yield f"**{_safe(part.title)}**"
    yield ""
    for line in part.lines:
        yield from _point(line).splitlines()
    yield ""


def _section(title: str, sentences: Iterable[str]) -> Iterator[str]:
    points = [_point(each) for each in sentences]
    if points:
        yield f"### {title}"
        yield "\n".join(points)


def _folded(title: str, lines: list[str]) -> str:
    while lines and not lines[-1]:
        lines = lines[:-1]
    return "\n".join(["<details>", f"<summary>{_safe(title)}</summary>", "", *lines, "", "</details>"])


def _fitting(lines: list[str], room: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    closing = f"\n```\n\n{_CUT}\n" if text[: most - 100].count("```") % 2 else f"\n\n{_CUT}\n"
    return text[: most - 100].rsplit("\n", 1)[0] + closing


def _fenced(text: str) -> str:
    """As it stands; a fence inside cannot end it."""
    return "\n".join(["```text", text.replace("```", "'''"), "```"])


def _prose(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False, subsequent_indent=indent)


def _point(text: str) -> str:
    return _prose(f"- {_safe(text)}", indent="  ")


def _safe(text: str) -> str:
    """A value can neither end a fold, hide what follows nor call somebody by name."""
    return html.escape(text, quote=False).replace("`", "'").replace("@", "@\u200b")
