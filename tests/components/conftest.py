from __future__ import annotations

import pytest

from tests.components.recording import Registration, run
from tests.stacks import STACKS


@pytest.fixture(scope="session")
def programs() -> dict[str, list[Registration]]:
    """The registrations of every committed stack; the program runs once per stack for all tests."""
    return {stack: run(stack).registrations for stack in STACKS}
