from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from runbook.rehearsal.engine import Outcome
from runbook.rehearsal.rehearse import rehearse
from runbook.rehearsal.result import StackResult
from tests.engine.bench import Bench, Silent, bench
from tests.stacks import STACKS


@dataclass(frozen=True)
class Rehearsed:
    """All committed stacks after preview, up and a second preview, by the functions that `make rehearsal` calls."""

    bench: Bench
    results: dict[str, StackResult]


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    with bench(tmp_path_factory.mktemp("rehearsed"), *STACKS) as made:
        yield Rehearsed(made, rehearse(made.engine, list(made.files.values()), Silent()))


@pytest.fixture(scope="session")
def stood(rehearsed: Rehearsed) -> Bench:
    """The same, for tests that change what stands there; each leaves stack files and clouds as it found them."""
    return rehearsed.bench


@dataclass(frozen=True)
class Mended:
    """A stack whose first `up` met a call that was refused, its second a cloud that was down, its third neither."""

    bench: Bench
    stack: str
    refused: Outcome
    down: Outcome
    resumed: Outcome
    preview: Outcome


@pytest.fixture(scope="session")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mended]:
    stack = "easymo-staging"
    with bench(tmp_path_factory.mktemp("mended"), stack) as made:
        made.engine.add_stack(made.files[stack])
        run, faults = made.engine.run, made.clouds.faults
        with made.edited(stack, {"current.env.admin.SUPPORT_URL": "https://support.easymo-staging.example"}):
            faults.fail("cloudflare", method="Create", name="dns-api", message="1004: DNS Validation Error")
            refused = run(stack, "up", "--yes", "--skip-preview")
            faults.down("grafana", "503 Service Unavailable")
            down = run(stack, "up", "--yes", "--skip-preview")
            faults.up("grafana")
            resumed = run(stack, "up", "--yes", "--skip-preview")
            yield Mended(made, stack, refused, down, resumed, run(stack, "preview"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The search for secrets comes last, when there is most to search."""
    items.sort(key=lambda item: "test_secrets.py" in item.nodeid)
