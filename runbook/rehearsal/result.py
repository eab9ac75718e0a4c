"""What a rehearsal found, for people in the report and for programs in out/rehearsal/result.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

COMMANDS = ("preview", "up", "second_preview")
PLAYS = {
    "cutover": "the same auth host, another target and Supabase project",
    "emergency": "straight from steady by overrides, to another auth host",
}


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
    """One stand-in. `facts` say how it behaves; `unverified` of them nobody has seen. A cloud that steps talk to too
    stands twice: as the engine's plugin, and by its HTTP interface."""

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
class Act:
    """One command of a play, which is a key of PLAYS. `operations`: the engine's word (update, same ...), or failed,
    to how many resources; `calls`: vendor to how many calls, look-ups of the engine's plugins left out; `rules`:
    those that refused it."""

    play: str
    name: str
    command: str
    operations: Mapping[str, int]
    seconds: float
    calls: Mapping[str, int]
    rules: Sequence[str] = ()


@dataclass(frozen=True)
class Cutover:
    """What the plays found. `refusals`: whole messages; `differs`: sentences on what a way back did not bring back,
    or an exception that none needs; `exceptions`: path to reason, of those needed; `unsettled`: how settled and the
    new steady differ; `lost`: deletes and replaces of what served at the time; `stale_*`: share (0 to 1) of resolvers
    that hold the old target 60 s after a flip; `parts`: seconds by what they went into."""

    acts: Sequence[Act]
    refusals: Sequence[str]
    differs: Sequence[str]
    exceptions: Mapping[str, str]
    unsettled: Sequence[str]
    lost: Sequence[str]
    stale_at_opens_at: float
    stale_without_the_wait: float
    flip_seconds: float
    rollback_seconds: float
    parts: Mapping[str, float]

    @property
    def wrong(self) -> list[str]:
        """Sentences; none when everything was proven."""
        found = [
            *self.differs,
            *self.unsettled,
            *(f"Something that served was taken away: {one}." for one in self.lost),
        ]
        if self.stale_at_opens_at > 0:
            share = f"{100 * self.stale_at_opens_at:.0f} %"
            found.append(f"60 s after the flip at opens-at {share} of obeying resolvers hold the old target, not 0.")
        if self.stale_without_the_wait == 0:
            found.append("No resolver holds the old target after a flip without the wait: the measurement is broken.")
        return found

    def as_plain(self) -> dict[str, object]:
        """What result.json gains."""
        return {
            "phases": [asdict(act) for act in self.acts],
            "refusals": list(self.refusals),
            "rollback_identical": not self.differs,
            "exceptions": [{"path": path, "reason": reason} for path, reason in self.exceptions.items()],
            "flip_seconds": self.flip_seconds,
            "rollback_seconds": self.rollback_seconds,
            "deletes_or_replaces_of_serving_names": len(self.lost),
            "settled_equals_new_steady": not self.unsettled,
            "stale_clients": {
                "at_opens_at": self.stale_at_opens_at,
                "without_the_wait": self.stale_without_the_wait,
            },
            "spent_by_part": dict(self.parts),
        }


@dataclass(frozen=True)
class Result:
    """All stacks of a rehearsal. `wall_seconds`: from its start to its end; stacks run side by side. `cutover`: where
    one was played."""

    engine: str
    stand_ins: Sequence[StandIn]
    stacks: Mapping[str, StackResult]
    wall_seconds: float
    cutover: Cutover | None = None

    @property
    def wrong(self) -> list[str]:
        """Sentences on everything that did not come out as it must."""
        found = self.unfinished
        changes = f"The second preview still finds {len(found)} change{'s' if len(found) > 1 else ''}: "
        still = [f"{changes}{'; '.join(found)}."] if found else []
        return [*still, *(self.cutover.wrong if self.cutover else ())]

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
            **(self.cutover.as_plain() if self.cutover else {}),
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
