"""Files that are made from the model: pages of docs/ and the JSON schema of stack files.

Run as script/docs or script/schema. With --check nothing is written, and a file that is not current fails.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from runbook import platforms
from runbook.model.dashboards import dashboards
from runbook.model.objectives_page import objectives_page
from runbook.model.pages import RELEASE, dashboards_page, signals_page
from runbook.model.platform import Platform
from runbook.model.problems import NAMESPACE
from runbook.model.rows import left_to_people
from runbook.model.runbook_page import runbook_page
from runbook.model.runbook_reader import reader
from runbook.model.settings import Settings
from runbook.model.stack_schema import stack_schema
from script import cli_page

ROOT = Path(__file__).parent.parent
_NO_RELEASE = "v0.0.0"  # a side wants a tag of the right form


def docs() -> dict[str, str]:
    """Path from the root of the checkout to text."""
    stacks = _production()
    boards = {stack: dashboards(platform, settings) for stack, (platform, settings) in stacks.items()}
    return {
        "docs/signals.md": signals_page([platforms.load(name) for name in platforms.names()]),
        "docs/dashboards.md": dashboards_page(boards),
        "docs/objectives.md": objectives_page(stacks),
        "docs/cli.md": cli_page.filled((ROOT / "docs/cli.md").read_text(encoding="utf-8")),
        **{f"docs/runbook-{of[0].name}.md": _runbook(stack, *of) for stack, of in stacks.items()},
    }


def schema() -> dict[str, str]:
    """Path from the root of the checkout to text."""
    return {"schema/stack.schema.json": json.dumps(stack_schema(), indent=2, ensure_ascii=False) + "\n"}


def _runbook(stack: str, platform: Platform, settings: Settings) -> str:
    """Without the cutover that a stack may have just now, and without the tag of its release: a move or a release
    must not make the page stale."""
    people = left_to_people((ROOT / "docs/rows.md").read_text(encoding="utf-8"), platform.title)
    current = settings.current.model_copy(update={"release": _NO_RELEASE})
    steady = settings.model_copy(update={"current": current, "cutover": None})
    return runbook_page(platform, steady, reader(stack, people)).replace(_NO_RELEASE, RELEASE)


def _production() -> dict[str, tuple[Platform, Settings]]:
    """Platform and settings of each production stack in the checkout, in the order of the stacks' names."""
    found = {}
    for file in sorted(ROOT.glob("Pulumi.*.yaml")):
        config: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]
        values = {key.removeprefix(f"{NAMESPACE}:"): value for key, value in config.items()}
        # Dashboards hold no secret, and a page needs none.
        settings = Settings.model_validate({key: value for key, value in values.items() if key != "secrets"})
        if settings.environment == "prod":
            # A release must not make the page stale.
            tagless = settings.model_copy(
                update={"current": settings.current.model_copy(update={"release": RELEASE})}
            )
            stack = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
            found[stack] = (platforms.load(settings.platform), tagless)
    return found


def main(what: str, *options: str) -> int:
    """Exit code: 0 when everything is current or has been written."""
    made: Callable[[], dict[str, str]] = {"docs": docs, "schema": schema}[what]
    stale = 0
    for name, text in made().items():
        path = ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in options:
            print(f"{name} is not what the model makes; run script/{what}.", file=sys.stderr)
            stale = 1
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"Wrote {name}.")
    return stale


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
