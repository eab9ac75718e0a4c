"""What a rehearsal found, for people in the report and for programs in out/rehearsal/result.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

COMMANDS = ("preview", "up", "second_preview")


@dataclass(frozen=True)
class ProgramSeconds:
    """The program alone, of the three commands the one with the middle total. `total`: from the start of Python to
    the last resource asked for, of which `sdk_import` imports the SDKs and `own` is the rest, `waiting` of it spent
    without computing. `plain_sdk_import`: a Python that imports the SDKs and does nothing else, in the same run."""

    total: float
    sdk_import: float
    own: float
    waiting: float
    plain_sdk_import: float


@dataclass(frozen=True)
class StandIn:
    """One stand-in cloud. `facts` rows say how it behaves; `unverified` of them nobody has seen."""

    name: str
    facts: int
    unverified: int


@dataclass(frozen=True)
class StackResult:
    """One stack. `resources` counts as the engine does, its own included; `created` is what the clouds hold, by cloud
    and kind; `unfinished` names what the second preview would still change; `seconds` has a value for each of
    COMMANDS, and `spent` is their sum by where it went: before the program began, into importing the SDKs, into the
    program's own work, and into the engine and the clouds after the last resource was asked for."""

    platform: str
    title: str
    resources: int
    created: Mapping[str, Mapping[str, int]]
    unfinished: Sequence[str]
    seconds: Mapping[str, float]
    spent: Mapping[str, float]
    program_seconds: ProgramSeconds
    made_up_secrets: int
    assumed: int


@dataclass(frozen=True)
class Result:
    """All stacks of a rehearsal. `wall_seconds`: from its start to its end; stacks run side by side."""

    engine: str
    stand_ins: Sequence[StandIn]
    stacks: Mapping[str, StackResult]
    wall_seconds: float

    @property
    def unfinished(self) -> list[str]:
        """What second previews would still change, each with its stack."""
        return [f"{stack}: {change}" for stack, each in self.stacks.items() for change in each.unfinished]

    @property
    def seconds(self) -> dict[str, float]:
        """Each command, summed over the stacks."""
        return _summed([each.seconds for each in self.stacks.values()])

    @property
    def spent(self) -> dict[str, float]:
        """Where the time of all commands went, summed over the stacks."""
        return _summed([each.spent for each in self.stacks.values()])

    @property
    def program_seconds(self) -> ProgramSeconds:
        """Those of the stack whose program takes longest."""
        return max((each.program_seconds for each in self.stacks.values()), key=lambda seconds: seconds.total)

    @property
    def assumed(self) -> int:
        """Facts assumed, of each platform once."""
        return sum({each.platform: each.assumed for each in self.stacks.values()}.values())

    def as_json(self) -> str:
        """The text of result.json: the figures of all stacks together, and the same of each; seconds to the
        millisecond."""
        common = {"engine": self.engine, "stand_ins": [asdict(each) for each in self.stand_ins]}
        whole = {
            **common,
            "resources": sum(each.resources for each in self.stacks.values()),
            "second_preview_changes": len(self.unfinished),
            "seconds": self.seconds,
            "wall_seconds": self.wall_seconds,
            "spent": self.spent,
            "program_seconds": asdict(self.program_seconds),
            "made_up_secrets": sum(each.made_up_secrets for each in self.stacks.values()),
            "assumed": self.assumed,
            "stacks": {
                name: {**common, "second_preview_changes": len(each.unfinished), **asdict(each)}
                for name, each in self.stacks.items()
            },
        }
        return json.dumps(_rounded(whole), indent=2) + "\n"


def _summed(all_seconds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(seconds[name] for seconds in all_seconds) for name in all_seconds[0]}


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return value
