from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.practice.checkout import Checkout, checkout


@pytest.fixture(scope="session")
def practised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout with a practice that is up, for all tests that need one; the smaller platform, for speed."""
    with checkout(tmp_path_factory.mktemp("practised")) as made:
        done = made.cutover("practice", "start", "--stack", "easymo-prod")
        assert done.returncode == 0, done.stderr
        yield made


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout in which nothing was done yet."""
    with checkout(tmp_path_factory.mktemp("empty")) as made:
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The walk needs the practice as it begins; the other tests do not mind where it has led."""
    items.sort(key=lambda item: "practice/test_walk.py" not in item.nodeid if "cli/practice" in item.nodeid else 0)
