"""The stack file that returns traffic: the one that is there, with the phase that goes back where it asks for
anything else; or the one that asked for the flip, where what is there cannot go back any more."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from runbook.cli import earlier, edits
from runbook.cli.errors import CliError
from runbook.cli.stack import Here
from runbook.model.cutover.ledger import Change, Ledger, change
from runbook.model.cutover.phases import Direction, Phase


def nothing_to_leave(here: Here) -> str:
    """Why there is nothing to go back from, as a sentence; "" where there is."""
    memory = here.memory
    ledger = memory.ledger
    if ledger is not None and (ledger.before is not None or _going(here)):
        return ""
    if ledger is None or not ledger.tag:
        return f"{here.stack} has made no flip, so there is nothing to go back from."
    if ledger.direction is Direction.BACK:
        return f"{here.stack} is back since crossing {ledger.tag}: there is nothing to go back from."
    return (
        f"{here.stack} is steady on what crossing {ledger.tag} moved to, and what served before it is kept no more: "
        "the way there is another cutover, with that under next."
    )


def returning(here: Here, text: str) -> tuple[str, str]:
    """The file's text, and where it is from as a sentence, which is empty for an edit of `text`, the file as it is.

    Raises: CliError where no file can be found that goes back."""
    for found, said in _candidates(here, text):
        if _goes_back(here, found):
            return found, said
    with contextlib.suppress(CliError):  # the program says what is wrong with it, and where
        return edits.with_phase(text, Phase.ROLLED_BACK, here.file.name), ""
    raise CliError(
        f"{here.file.name} asks for no way back, and neither git nor the engine's history has the one of the flip.",
        f"The way back without any file: {here.command('way-back')}",
    )


def _candidates(here: Here, text: str) -> Iterator[tuple[str, str]]:
    name = here.file.name
    yield text, ""  # a file from before the flip is as good as the word
    with contextlib.suppress(CliError):
        yield edits.with_phase(text, Phase.ROLLED_BACK, name), ""
    ledger = here.memory.ledger
    assert ledger is not None
    with contextlib.suppress(CliError):
        then, said = earlier.stack_file(here, _flip(ledger))
        yield edits.with_phase(then, Phase.ROLLED_BACK, name), f"{name} as it stands cannot go back. Instead: {said}"


def _flip(ledger: Ledger) -> str:
    """Tag of the flip that is left: a way back is the crossing after it."""
    return f"{ledger.crossing - (ledger.direction is Direction.BACK)}-{Direction.FLIP}"


def _goes_back(here: Here, text: str) -> bool:
    try:
        settings = earlier.settings_of(text, here.file.name)
    except CliError:
        return False
    return change(settings, here.memory.ledger) is (Change.NONE if _going(here) else Change.BACK)


def flipping(here: Here) -> bool:
    """Whether a flip is under way, with which an update that leaves what is asked for would go on."""
    return _under_way(here, Direction.FLIP)


def _going(here: Here) -> bool:
    """Whether a way back is under way."""
    return _under_way(here, Direction.BACK)


def _under_way(here: Here, direction: Direction) -> bool:
    memory = here.memory
    return memory.open and memory.ledger is not None and memory.ledger.direction is direction
