"""What workflows ask of GitHub's interface. The standard library alone, so that it runs before any set-up.

`comment FOLDER`: one comment on PULL_REQUEST for each FOLDER/STACK/, edited in place when it is there already.
`persons FILE`: who last changed FILE, and who approved this run, as outputs of a step.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BOT = "github-actions[bot]"  # the author of what GITHUB_TOKEN writes; another's comment is never edited
MOST = 60_000  # GitHub takes 65,536 characters


class ForgeError(Exception):
    """GitHub refused, or there is nothing to tell it; the message is one sentence."""


@dataclass(frozen=True)
class Forge:
    """A repository at GitHub's interface."""

    api: str
    repository: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Forge:
        api = environment.get("GITHUB_API_URL", "https://api.github.com")
        return cls(api, environment["GITHUB_REPOSITORY"], environment["GITHUB_TOKEN"])

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The parsed answer. Raises: ForgeError"""
        request = urllib.request.Request(
            f"{self.api}/repos/{self.repository}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Accept": "application/vnd.github+json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ForgeError(f"GitHub answered {error.code} to {method} {path}.") from None
        except OSError as error:
            raise ForgeError(f"GitHub did not answer {method} {path}: {error}.") from None

    def all(self, path: str) -> Iterator[Any]:
        """Every entry of a list, page by page. Raises: ForgeError"""
        page = 1
        while found := self.ask("GET", f"{path}?per_page=100&page={page}"):
            yield from found
            page += 1


def marker(stack: str) -> str:
    """The first line of a stack's comment, which nobody sees: as in runbook/model/plans/markdown.py, which needs a
    set-up to be imported."""
    return f"<!-- cutover-plan: {stack} -->"


def body(stack: str, folder: Path) -> str:
    """The comment: what `plan --markdown` made, or what it said where it made nothing."""
    plan, said = (_text(folder / name).strip() for name in ("plan.md", "said.txt"))
    if plan:
        return f"{plan}\n"
    shown = said.replace("```", "'''")[-MOST:] or "It said nothing; see the run."
    return f"{marker(stack)}\n\n## There is no plan of {stack}\n\n```text\n{shown}\n```\n"


def comment(forge: Forge, number: str, stack: str, text: str) -> str:
    """Write the stack's comment, or edit the one that is there; says which. Raises: ForgeError"""
    for each in forge.all(f"/issues/{number}/comments"):
        if each["user"]["login"] == BOT and each["body"].startswith(marker(stack)):
            forge.ask("PATCH", f"/issues/comments/{each['id']}", {"body": text})
            return f"{stack}: edited"
    forge.ask("POST", f"/issues/{number}/comments", {"body": text})
    return f"{stack}: written"


def persons(forge: Forge, commit: str, run: str) -> dict[str, str]:
    """`author`: of the pull request that the commit came with, else of the commit. `approver`: who approved the run
    last in its protected environment. Each "" where GitHub knows none. Raises: ForgeError"""
    pulls = forge.ask("GET", f"/commits/{commit}/pulls")
    author = pulls[0]["user"] if pulls else forge.ask("GET", f"/commits/{commit}")["author"]
    given = [each for each in forge.ask("GET", f"/actions/runs/{run}/approvals") if each["state"] == "approved"]
    approver = given[-1]["user"] if given else None
    return {"author": author["login"] if author else "", "approver": approver["login"] if approver else ""}


def changed_last(file: str) -> str:
    """The commit that last changed a file."""
    done = subprocess.run(["git", "log", "-1", "--format=%H", "--", file], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def main(what: str, name: str) -> int:
    forge = Forge.of(os.environ)
    try:
        if what == "comment":
            for folder in _folders(Path(name)):
                print(comment(forge, os.environ["PULL_REQUEST"], folder.name, body(folder.name, folder)))
        else:
            for key, value in persons(forge, changed_last(name), os.environ["GITHUB_RUN_ID"]).items():
                print(f"{key}={value}")
    except ForgeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _folders(among: Path) -> list[Path]:
    """One for each stack. Raises: ForgeError where there is none, or a run without a comment would look well."""
    found = sorted(each for each in among.glob("*") if each.is_dir())
    if not found:
        raise ForgeError(f"{among} has no folder of a stack, so no comment was written: see the jobs of the plans.")
    return found


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
