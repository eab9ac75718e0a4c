"""Who does this: CI knows, anyone else only claims to be somebody; and who approved it, where CI says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbook.cli.codes import Code
from runbook.cli.errors import CliError

# Set by the workflow: the author of the pull request that asked for this, and who approved the run.
AUTHOR, APPROVER = "CUTOVER_AUTHOR", "CUTOVER_APPROVER"


@dataclass(frozen=True)
class Who:
    """`by`: as steps record it, with the key github, gitlab or claimed. `author` and `approver`: logins at the forge,
    empty where CI does not give them."""

    by: Mapping[str, str]
    author: str = ""
    approver: str = ""

    @property
    def name(self) -> str:
        return next(iter(self.by.values()), "") or "nobody"

    @property
    def known(self) -> bool:
        """Whether somebody else than the person says so."""
        return "claimed" not in self.by

    @property
    def text(self) -> str:
        said = self.name if self.known else f"{self.name} (claimed)"
        return f"{said}, approved by {self.approver}" if self.approver else said

    def as_json(self) -> dict[str, object]:
        return {"by": dict(self.by), "author": self.author or None, "approver": self.approver or None}


def who(environment: Mapping[str, str]) -> Who:
    from runbook.steps.files import by_whom

    return Who(by_whom(), environment.get(AUTHOR, "").strip(), environment.get(APPROVER, "").strip())


def two_persons(person: Who, stack: str) -> None:
    """For a forward crossing in prod. Raises: CliError where CI names the persons and they are not two."""
    if not person.author and not person.approver:
        return
    if not person.author or not person.approver:
        missing = APPROVER if person.author else AUTHOR
        raise CliError(
            f"A flip of {stack} needs an author and an approver, and {missing} is empty.",
            "Let somebody else approve the run in the protected environment.",
            Code.REFUSED,
        )
    if person.author.lower() == person.approver.lower():
        raise CliError(
            f"A flip of {stack} needs two persons: {person.author} wrote it and approved it.",
            "Let somebody else approve the run. (A way back needs nobody's approval.)",
            Code.REFUSED,
        )
