"""What an update would do, as data, read from the engine's events.

Source of the format: pulumi's sdk/go/common/apitype/events.go; the Automation API and `pulumi preview --event-log`
give the same JSON. Secrets are taken out while reading: no value of a secret is ever in a plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SECRET = "[secret]"
UNKNOWN = "[known after]"  # an id or value that the cloud gives

LEDGER, STEP = "pulumi-python:dynamic/runbook:Ledger", "pulumi-python:dynamic/runbook:Step"
STEPS_PROVIDER = "pulumi:providers:pulumi-python"  # its inputs are the whole config, again

# The engine's words for the parts of a replacement, and for looking alone.
_OPS = {
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "read-replacement": "replace",
    "import-replacement": "replace",
    "import": "create",
    "read": "same",
    "read-discard": "same",
    "discard": "same",
    "discard-replaced": "same",
    "remove-pending-replace": "same",
}
# Marks of values on the wire (sdk/go/common/resource/sig and plugin/rpc.go).
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_IS_SECRET, _IS_OUTPUT = "1b47061264138c4ac30d75fd1eb44270", "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_SENTINELS = {
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}
# What the engine and its Python host add to an error that they have already told.
_ECHOES = ("preview failed", "update failed", "an unhandled error occurred: program exited with non-zero exit code")


@dataclass(frozen=True)
class Operation:
    """What happens to one resource. `op` is create, update, delete, replace or same; `diff` the property paths that
    differ; `old` and `new` the inputs before and after, where a secret is the text "[secret]"."""

    urn: str
    type: str
    name: str
    op: str
    diff: tuple[str, ...] = ()
    old: Mapping[str, Any] = field(default_factory=dict)
    new: Mapping[str, Any] = field(default_factory=dict)
    protect: bool = False

    @property
    def step(self) -> str:
        """Name of the step that this is, such as promote-staff; empty for anything else."""
        return str((self.new or self.old).get("name", "")) if self.type == STEP else ""


@dataclass(frozen=True)
class Plan:
    """All that a preview found, in the engine's order. `phase_was` is empty before the first update; `tag` names the
    crossing that this update begins or goes on with, such as 1-flip, and is empty where it is none. `refused`: why
    the preview failed, as it was told; then the rest is what was seen until then."""

    stack: str
    phase_was: str
    phase: str
    tag: str
    operations: tuple[Operation, ...]
    refused: str = ""

    @property
    def changes(self) -> tuple[Operation, ...]:
        return tuple(each for each in self.operations if each.op != "same")

    @property
    def ledger(self) -> Operation | None:
        return next((each for each in self.operations if each.type == LEDGER), None)


def plan_of(events: Iterable[Mapping[str, Any]]) -> Plan:
    """The plan in the events of one preview (or update, or refresh), one JSON object each."""
    found: dict[str, Operation] = {}
    refreshed: dict[str, Operation] = {}
    errors: dict[str, None] = {}
    for event in events:
        if step := event.get("resourcePreEvent"):
            _add(found, step["metadata"])
        elif (step := event.get("resOutputsEvent")) and step["metadata"]["urn"] not in found:
            _add(refreshed, step["metadata"])  # what a refresh found is known only then
        elif (said := event.get("diagnosticEvent")) and said.get("severity") == "error":
            errors[str(said["message"]).strip()] = None
    operations = tuple({**refreshed, **found}.values())
    told = [text for text in errors if not text.startswith(_ECHOES)] or list(errors)
    was, now, tag = _crossing(next((each for each in operations if each.type == LEDGER), None))
    stack = operations[0].urn.split("::")[0].removeprefix("urn:pulumi:") if operations else ""
    return Plan(stack, was, now, tag, operations, "\n\n".join(told))


def _add(found: dict[str, Operation], metadata: Mapping[str, Any]) -> None:
    """A replacement comes as several steps on one URN: together they are one operation."""
    if metadata["op"] == "refresh":
        return
    new = _operation(metadata)
    old = found.get(new.urn)
    if old is None or old.op == "same":
        found[new.urn] = new
    elif "replace" in (old.op, new.op) or {old.op, new.op} == {"create", "delete"}:
        found[new.urn] = Operation(
            new.urn,
            new.type,
            new.name,
            "replace",
            old.diff or new.diff,
            old.old or new.old,
            new.new or old.new,
            old.protect or new.protect,
        )


def _operation(metadata: Mapping[str, Any]) -> Operation:
    op, urn, kind = str(metadata["op"]), str(metadata["urn"]), str(metadata["type"])
    op = _OPS.get(op, op)
    old, new = metadata.get("old") or {}, metadata.get("new") or {}
    before, after = _inputs(kind, old), {} if op == "delete" else _inputs(kind, new)
    diff: Iterable[str] = metadata.get("detailedDiff") or metadata.get("diffs") or ()
    if op == "update" and not diff:  # a dynamic resource only says that it differs
        diff = (key for key in {**before, **after} if before.get(key) != after.get(key))
    protect = bool(old.get("protect") or new.get("protect"))
    return Operation(urn, kind, urn.rsplit("::", 1)[-1], op, tuple(sorted(diff)), before, after, protect)


def _inputs(kind: str, state: Mapping[str, Any]) -> dict[str, Any]:
    if kind == STEPS_PROVIDER:
        return {}
    inputs = {str(key): plain(value) for key, value in (state.get("inputs") or {}).items() if key[:2] != "__"}
    return {**inputs, "secrets": SECRET} if "secrets" in inputs else inputs


def plain(value: Any) -> Any:
    """A value of an event with each secret as "[secret]", each unknown as "[known after]", whole numbers as int."""
    if isinstance(value, Mapping):
        mark = value.get(_SIGNATURE)
        if mark == _IS_SECRET or (mark == _IS_OUTPUT and value.get("secret")):
            return SECRET
        if mark == _IS_OUTPUT:
            return plain(value["value"]) if "value" in value else UNKNOWN
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return UNKNOWN if isinstance(value, str) and value in _SENTINELS else value


def _crossing(ledger: Operation | None) -> tuple[str, str, str]:
    """Phase before, phase asked for, and the crossing that is begun or gone on with."""
    if ledger is None:
        return "", "", ""
    old, new = ledger.old, ledger.new
    going = any(old.get(key) != new.get(key) for key in ("crossing", "attempt"))
    tag = f"{new.get('crossing')}-{new['direction']}" if going and new.get("direction") else ""
    return str(old.get("phase", "")), str(new.get("phase", "")), tag
