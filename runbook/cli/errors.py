"""What goes wrong, said to people: one sentence and what to do."""

from __future__ import annotations

from runbook.cli.codes import Code


class CliError(Exception):
    """`sentence` says what is wrong and where, `remedy` what to do next; `details` are lines that stand below both,
    such as every reason of a refusal."""

    def __init__(self, sentence: str, remedy: str, code: Code = Code.FAILED, details: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.remedy, self.code, self.details = sentence, remedy, code, details
        self.in_data = False

    def told(self) -> CliError:
        """The same; the command's JSON, which is one object, says it already."""
        self.in_data = True
        return self

    @property
    def text(self) -> str:
        """All of it, for a terminal."""
        said = f"{self.sentence} {self.remedy}".strip()
        return f"{said}\n\n{self.details}" if self.details else said

    def as_json(self) -> dict[str, object]:
        return {"error": self.sentence, "remedy": self.remedy, "code": self.code.value, "details": self.details}
