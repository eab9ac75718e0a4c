"""The proof that a way back is one: views from before and after, compared, and collected over a play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runbook.rehearsal.clouds import Clouds
from runbook.rehearsal.cutover.views import Excused, View, differences, observe, raw


@dataclass(frozen=True)
class Snapshot:
    """What clients observed at one moment, and what the clouds held."""

    observed: View
    held: Mapping[str, View]

    @classmethod
    def of(cls, clouds: Clouds, hosts: Mapping[str, str]) -> Snapshot:
        """`hosts`: name to health path."""
        return cls(observe(clouds, hosts), raw(clouds))


@dataclass
class Proof:
    """`wrong`: sentences, of all comparisons so far. Exceptions count as used when any comparison needed them."""

    wrong: list[str] = field(default_factory=list)
    given: list[Excused] = field(default_factory=list)
    used: list[Excused] = field(default_factory=list)

    def compare(self, when: str, before: Snapshot, after: Snapshot, exceptions: Sequence[Excused] = ()) -> None:
        """All that clients observe, exactly, and all that the clouds hold, but for the exceptions."""
        self._note(when, "observe", differences(before.observed, after.observed).others)
        self._held(when, before, after, exceptions)

    def compare_hosts(self, when: str, before: Snapshot, after: Snapshot, exceptions: Sequence[Excused] = ()) -> None:
        """The same for what clients observe at the hosts alone, of those that were there before; settings at the
        vendors are held by `compare` once the crossing is left behind."""
        hosts = {host: seen for host, seen in before.observed["hosts"].items() if seen["dns"]["exists"]}
        now = {host: after.observed["hosts"][host] for host in hosts}
        self._note(when, "observe", differences({"hosts": hosts}, {"hosts": now}).others)
        self._held(when, before, after, exceptions)

    def end(self) -> None:
        """An exception that no comparison needed is wrong too: it would let something pass unseen."""
        for one in dict.fromkeys(self.given):
            if one not in self.used:
                left_out = "what it excuses was left out, or it can go from the list"
                self.wrong.append(f"The exception {one.path} ({one.reason}) was not needed: {left_out}.")

    def _held(self, when: str, before: Snapshot, after: Snapshot, exceptions: Sequence[Excused]) -> None:
        found = differences(before.held, after.held, exceptions)
        self.given += exceptions
        self.used += found.used
        self._note(when, "hold", found.others)

    def _note(self, when: str, verb: str, others: Sequence[object]) -> None:
        who = {"observe": "what clients observe", "hold": "what the clouds hold"}[verb]
        self.wrong += [f"{when}, {who} differs at {each}." for each in others]
